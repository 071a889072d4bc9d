use super::*;
use crate::stats::{ENOUGH_REQUESTS, in_band};

fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> SampleSeries {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    SampleSeries {
        labels: labels.iter().map(own).collect(),
        samples: samples
            .iter()
            .map(|(seconds, value)| (Moment(seconds * 1_000), *value))
            .collect(),
    }
}

const A: (&str, &str) = ("instance", "a");

fn count(series: &[SampleSeries], alive: &[SampleSeries]) -> Counted {
    let (from, to) = (Moment(0), Moment(60_000));
    count_requests(series, alive, TimeSpan::seconds(5), from, to).unwrap()
}

/// Requests of the first series that a share may be judged by.
fn requests(counted: &Counted) -> i64 {
    whole(counted.rows[0].value * counted.window.as_seconds())
}

#[expect(clippy::cast_possible_truncation, reason = "small numbers")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

#[test]
fn counted_is_what_the_counter_brought_and_nothing_more() {
    for (samples, wanted) in [
        // Over a span that is the whole window.
        (vec![(0, 7.0), (30, 12.0), (60, 19.0)], 12),
        // A missed scrape in between loses nothing.
        (vec![(0, 7.0), (60, 19.0)], 12),
        // A restart: what was counted just before it is lost, and that interval with it.
        (vec![(0, 7.0), (20, 12.0), (40, 3.0), (60, 5.0)], 7),
        // Idle.
        (vec![(0, 7.0), (60, 7.0)], 0),
    ] {
        let one = series(&[A], &samples);
        assert_eq!(requests(&count(&[one], &[])), wanted, "{samples:?}");
    }
}

#[test]
fn a_burst_in_a_counter_that_was_not_there_before_is_counted_if_its_target_was() {
    let ok = series(
        &[A, ("response_code", "200")],
        &[(0, 90.0), (30, 95.0), (60, 99.0)],
    );
    let burst = series(&[A, ("response_code", "503")], &[(30, 20.0), (60, 20.0)]);
    let counted = count(&[burst.clone(), ok], &[]);
    assert_eq!(requests(&counted), 20, "rate() says 0 here");
    // A target that nobody knew before may have counted these long ago.
    assert_eq!(requests(&count(std::slice::from_ref(&burst), &[])), 0);
    let up = series(&[A], &[(0, 1.0), (30, 1.0), (60, 1.0)]);
    assert_eq!(requests(&count(&[burst], &[up])), 20);
}

#[test]
fn targets_that_turn_up_late_are_asked_for() {
    let late = series(&[A], &[(30, 1.0)]);
    let early = series(&[("instance", "b")], &[(2, 1.0)]);
    let scrape = TimeSpan::seconds(5);
    assert_eq!(late_targets(&[late, early], Moment(0), scrape), ["a"]);
}

#[test]
fn a_target_of_which_one_sample_is_known_makes_a_short_window_unknown() {
    let both = [
        series(&[A], &[(0, 1.0), (10, 2.0)]),
        series(&[("instance", "b")], &[(9, 5.0)]),
    ];
    let scrape = TimeSpan::seconds(5);
    assert_eq!(
        count_requests(&both, &[], scrape, Moment(0), Moment(10_000)),
        None
    );
    assert!(count_requests(&both, &[], scrape, Moment(0), Moment(40_000)).is_some());
}

/// A small generator: tests draw the same numbers each time.
struct Draws(u64);

impl Draws {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let unit = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        unit
    }

    /// Arrivals of a Poisson process in so many seconds.
    fn arrivals(&mut self, rate: f64, seconds: f64) -> f64 {
        let (mut at, mut n) = (0.0, 0.0);
        loop {
            at -= (1.0 - self.unit()).ln() / rate;
            if at > seconds {
                return n;
            }
            n += 1.0;
        }
    }
}

/// One target's counter for a version, scraped at moments of its own, some of them missed, now and then restarted.
fn scraped(
    draws: &mut Draws,
    instance: &str,
    version: &str,
    rate: f64,
    scrape_s: f64,
    to_s: f64,
) -> SampleSeries {
    let mut at = draws.unit() * scrape_s;
    let mut value = draws.arrivals(rate, at) + 50_000.0;
    let mut samples = Vec::new();
    while at <= to_s {
        let moment = Moment(whole(at * 1_000.0));
        if draws.unit() > 0.05 {
            samples.push((moment, value.floor()));
        }
        let next = scrape_s * (1.0 + 0.02 * (draws.unit() - 0.5));
        if draws.unit() < 0.002 {
            value = 0.0;
        }
        value += draws.arrivals(rate, next);
        at += next;
    }
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    SampleSeries {
        labels: [label("instance", instance), label("version", version)].into(),
        samples,
    }
}

/// How many windows call a correct split out of band: windows grow until they hold enough, as the judge's do.
fn out_of_band(
    seed: u64,
    rps: f64,
    canary: f64,
    scrape_s: f64,
    pods: usize,
    n_windows: u32,
) -> f64 {
    let mut draws = Draws(seed);
    let (mut out, mut judged) = (0.0, 0.0);
    let scrape = TimeSpan(whole(scrape_s * 1_000.0));
    for _ in 0..n_windows {
        let mut to_s = (2.0 * scrape_s).max(15.0);
        to_s = to_s.max(1.3 * ENOUGH_REQUESTS / rps);
        let mut all = Vec::new();
        for (version, share) in [("v1", 1.0 - canary), ("v2", canary)] {
            for pod in 0..pods {
                #[expect(clippy::cast_precision_loss, reason = "a few pods")]
                let rate = rps * share / pods as f64;
                let instance = format!("{version}-{pod}");
                all.push(scraped(
                    &mut draws, &instance, version, rate, scrape_s, to_s,
                ));
            }
        }
        let to = Moment(whole(to_s * 1_000.0));
        let Some(counted) = count_requests(&all, &[], scrape, Moment(0), to) else {
            continue;
        };
        let of = |version: &str| -> f64 {
            let rows = counted
                .rows
                .iter()
                .filter(|row| row.labels["version"] == version);
            rows.map(|row| row.value).sum::<f64>() * counted.window.as_seconds()
        };
        let (stable, new) = (of("v1"), of("v2"));
        if stable + new < ENOUGH_REQUESTS {
            continue;
        }
        judged += 1.0;
        if in_band(new, stable + new, canary) != Some(true) {
            out += 1.0;
        }
    }
    assert!(
        judged > f64::from(n_windows) / 2.0,
        "most windows can be judged"
    );
    out / judged
}

#[test]
fn a_correct_split_is_called_out_of_band_in_under_half_a_percent_of_windows() {
    for (seed, rps, canary, scrape_s, pods) in [
        (1, 60.0, 0.1, 5.0, 1),
        (2, 60.0, 0.5, 5.0, 3),
        (3, 30.0, 0.05, 15.0, 2),
        (4, 100.0, 0.25, 15.0, 1),
        (5, 2.0, 0.1, 15.0, 1),
    ] {
        let ratio = out_of_band(seed, rps, canary, scrape_s, pods, 5_000);
        assert!(
            ratio < 0.005,
            "{ratio} at {rps} rps, {canary}, scraped each {scrape_s} s"
        );
    }
}
