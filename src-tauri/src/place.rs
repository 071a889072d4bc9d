//! Where the window stands, over restarts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pilothouse_connect::folders;
use pilothouse_settings::{StateFile, WindowPlace};
use tauri::async_runtime::{spawn, spawn_blocking};
use tauri::{Monitor, WebviewWindow, Wry};
use tokio::sync::Notify;
use tokio::time::timeout;

/// A window that was not moved for so long stands.
const STANDS: Duration = Duration::from_millis(500);
/// Height of the strip by which a window is moved.
const TITLE: f64 = 24.0;
/// So much of it must be on a screen.
const REACHABLE: f64 = 96.0;

/// A rectangle in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// How a window is opened again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Restored {
    /// `None` leaves it to the window system.
    pub(crate) position: Option<(f64, f64)>,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) maximised: bool,
}

impl Area {
    /// What a screen shows.
    pub(crate) fn of(screen: &Monitor) -> Self {
        let scale = screen.scale_factor();
        let position = screen.position().to_logical(scale);
        let size = screen.size().to_logical(scale);
        Self {
            x: position.x,
            y: position.y,
            width: size.width,
            height: size.height,
        }
    }

    /// Width and height of what both cover.
    fn shared(self, other: Self) -> (f64, f64) {
        let one = |a: f64, long_a: f64, b: f64, long_b: f64| {
            ((a + long_a).min(b + long_b) - a.max(b)).max(0.0)
        };
        (
            one(self.x, self.width, other.x, other.width),
            one(self.y, self.height, other.y, other.height),
        )
    }
}

/// The place on the screens that there are now: one that cannot be reached any more is dropped, one that is larger than
/// every screen shrinks.
pub(crate) fn restored(place: WindowPlace, screens: &[Area]) -> Restored {
    let widest = screens
        .iter()
        .map(|screen| screen.width)
        .fold(0.0, f64::max);
    let highest = screens
        .iter()
        .map(|screen| screen.height)
        .fold(0.0, f64::max);
    let within = |length: f64, most: f64| if most > 0.0 { length.min(most) } else { length };
    let strip = Area {
        x: place.x,
        y: place.y,
        width: place.width,
        height: TITLE,
    };
    let is_reachable = screens.iter().any(|screen| {
        let (width, height) = strip.shared(*screen);
        width >= REACHABLE && height >= TITLE
    });
    Restored {
        position: is_reachable.then_some((place.x, place.y)),
        width: within(place.width, widest),
        height: within(place.height, highest),
        maximised: place.maximised,
    }
}

/// Where a window stands now.
pub(crate) fn of(window: &WebviewWindow<Wry>) -> tauri::Result<WindowPlace> {
    let scale = window.scale_factor()?;
    let position = window.outer_position()?.to_logical(scale);
    let size = window.inner_size()?.to_logical(scale);
    Ok(WindowPlace {
        x: position.x,
        y: position.y,
        width: size.width,
        height: size.height,
        maximised: window.is_maximized()?,
    })
}

/// Writes the place of the window down: when it has come to rest, and when it is closed.
pub(crate) struct Keeper(Arc<Kept>);

struct Kept {
    file: Option<StateFile>,
    place: Mutex<Place>,
    moved: Notify,
}

struct Place {
    now: Option<WindowPlace>,
    is_written: bool,
}

impl Keeper {
    /// Reads the place of last time and begins to keep it. Needs the runtime.
    pub(crate) fn start() -> Self {
        let file = StateFile::of(&folders());
        let now = file.as_ref().and_then(|file| file.load().0.window);
        let kept = Arc::new(Kept {
            file,
            place: Mutex::new(Place {
                now,
                is_written: true,
            }),
            moved: Notify::new(),
        });
        spawn(Arc::clone(&kept).keep());
        Self(kept)
    }

    /// The place of last time.
    pub(crate) fn before(&self) -> Option<WindowPlace> {
        self.0.lock().now
    }

    /// The window stands elsewhere now.
    pub(crate) fn note(&self, place: WindowPlace) {
        let mut kept = self.0.lock();
        kept.now = Some(following(kept.now, place));
        kept.is_written = false;
        drop(kept);
        self.0.moved.notify_one();
    }

    /// Writes at once what is not written yet. Blocks.
    pub(crate) fn write(&self) {
        self.0.write();
    }
}

/// A window that fills its screen keeps its place of before, to return to.
fn following(before: Option<WindowPlace>, now: WindowPlace) -> WindowPlace {
    match before {
        Some(before) if now.maximised => WindowPlace {
            maximised: true,
            ..before
        },
        Some(_) | None => now,
    }
}

impl Kept {
    async fn keep(self: Arc<Self>) {
        loop {
            self.moved.notified().await;
            while timeout(STANDS, self.moved.notified()).await.is_ok() {}
            let kept = Arc::clone(&self);
            if spawn_blocking(move || kept.write()).await.is_err() {
                return;
            }
        }
    }

    fn write(&self) {
        let mut kept = self.lock();
        let (Some(file), Some(place), false) = (&self.file, kept.now, kept.is_written) else {
            return;
        };
        kept.is_written = true;
        drop(kept);
        if let Err(error) = file.update(|state| state.window = Some(place)) {
            tracing::warn!("the place of the window is not remembered: {error}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAPTOP: Area = Area {
        x: 0.0,
        y: 0.0,
        width: 1440.0,
        height: 900.0,
    };
    const BESIDE: Area = Area {
        x: -1920.0,
        y: -180.0,
        width: 1920.0,
        height: 1080.0,
    };

    fn at(x: f64, y: f64) -> WindowPlace {
        WindowPlace {
            x,
            y,
            width: 1200.0,
            height: 800.0,
            maximised: false,
        }
    }

    fn position(place: WindowPlace, screens: &[Area]) -> Option<(f64, f64)> {
        restored(place, screens).position
    }

    #[test]
    fn a_window_comes_back_where_it_can_be_reached() {
        let both = [LAPTOP, BESIDE];
        for (x, y) in [
            (0.0, 0.0),
            (100.0, 60.0),
            (-1900.0, -180.0),
            (-600.0, 0.0),
            (1344.0, 876.0),
        ] {
            assert_eq!(position(at(x, y), &both), Some((x, y)));
        }
        for (x, y) in [
            (1345.0, 0.0),
            (0.0, 877.0),
            (0.0, -181.0),
            (-3100.0, 0.0),
            (1e9, 1e9),
        ] {
            assert_eq!(position(at(x, y), &both), None, "{x}, {y}");
        }
        assert_eq!(
            position(at(-1900.0, 0.0), &[LAPTOP]),
            None,
            "that screen is gone"
        );
        assert_eq!(
            position(at(0.0, 0.0), &[]),
            None,
            "nothing is known of screens"
        );
    }

    #[test]
    fn a_window_is_no_larger_than_the_screens() {
        let large = WindowPlace {
            width: 3000.0,
            height: 2000.0,
            ..at(0.0, 0.0)
        };
        let fits = restored(large, &[LAPTOP, BESIDE]);
        assert_eq!((fits.width, fits.height), (1920.0, 1080.0));
        let unknown = restored(large, &[]);
        assert_eq!((unknown.width, unknown.height), (3000.0, 2000.0));
    }

    #[test]
    fn filling_the_screen_keeps_the_place_to_return_to() {
        let full = WindowPlace {
            x: 0.0,
            y: 0.0,
            width: 1440.0,
            height: 900.0,
            maximised: true,
        };
        let kept = following(Some(at(100.0, 60.0)), full);
        assert_eq!(
            kept,
            WindowPlace {
                maximised: true,
                ..at(100.0, 60.0)
            }
        );
        assert_eq!(following(Some(kept), at(7.0, 8.0)), at(7.0, 8.0));
        assert_eq!(following(None, full), full);
    }
}
