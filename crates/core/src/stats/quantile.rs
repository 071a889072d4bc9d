//! Quantiles of bucketed observations, equal to Prometheus' `histogram_quantile` for classic histograms (`promql/quantile.go`),
//! so that our numbers and a dashboard's are the same.

/// A cumulative bucket: how many observations are at most `le`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Upper bound, included; `+Inf` for the last.
    pub le: f64,
    /// Observations (or their rate) up to there.
    pub count: f64,
}

/// The `q` quantile of cumulative buckets in any order, interpolated linearly within its bucket; the lowest bucket starts
/// at 0 unless its bound is not positive, and a quantile in the `+Inf` bucket answers the highest finite bound.
///
/// `None` where Prometheus says NaN: no `+Inf` bucket, no finite one, no observations, `q` not a number. As there, `q` below
/// 0 gives `-Inf` and above 1 `+Inf`; equal bounds are added up, and a count that falls is lifted to the one before.
#[must_use]
pub fn bucket_quantile(q: f64, buckets: &[Bucket]) -> Option<f64> {
    if q.is_nan() {
        return None;
    }
    let buckets = prepare(buckets);
    let (last, finite) = buckets.split_last()?;
    let highest = finite.last()?;
    if last.le < f64::INFINITY || last.count <= 0.0 || last.count.is_nan() {
        return None;
    }
    if q < 0.0 {
        return Some(f64::NEG_INFINITY);
    }
    if q > 1.0 {
        return Some(f64::INFINITY);
    }
    let rank = q * last.count;
    let Some(at) = finite.iter().position(|bucket| bucket.count >= rank) else {
        return Some(highest.le);
    };
    let bucket = finite.get(at)?;
    let below = at.checked_sub(1).and_then(|at| finite.get(at));
    if below.is_none() && bucket.le <= 0.0 {
        return Some(bucket.le);
    }
    let (start, before) = below.map_or((0.0, 0.0), |below| (below.le, below.count));
    let value = start + (bucket.le - start) * ((rank - before) / (bucket.count - before));
    // 0/0: the quantile 0 of an empty lowest bucket.
    (!value.is_nan()).then_some(value)
}

/// Sorted by bound, equal bounds added up, counts made monotonic.
fn prepare(buckets: &[Bucket]) -> Vec<Bucket> {
    let mut sorted: Vec<Bucket> = buckets.iter().copied().filter(|b| !b.le.is_nan()).collect();
    sorted.sort_by(|left, right| left.le.total_cmp(&right.le));
    let mut merged: Vec<Bucket> = Vec::with_capacity(sorted.len());
    for bucket in sorted {
        match merged.last_mut() {
            Some(last) if last.le.total_cmp(&bucket.le).is_eq() => last.count += bucket.count,
            Some(_) | None => merged.push(bucket),
        }
    }
    let mut highest = f64::NEG_INFINITY;
    for bucket in &mut merged {
        highest = highest.max(bucket.count);
        bucket.count = highest;
    }
    merged
}

#[cfg(test)]
mod tests;
