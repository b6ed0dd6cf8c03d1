//! When the next frame of a display is due.

use std::time::{Duration, Instant};

/// Tells when the next frame is due, asking the clock about four times a frame however short the
/// steps are: a training step can be shorter than some systems take to tell the time.
pub(super) struct FrameClock {
    frame: Duration,
    shown: Instant,
    /// Steps since then.
    steps: u32,
    /// The clock is asked once in so many steps.
    stride: u32,
}

impl FrameClock {
    /// One of frames that are `frame` apart.
    pub(super) fn new(frame: Duration) -> Self {
        Self { frame, shown: Instant::now(), steps: 0, stride: 1 }
    }

    /// To be asked once a step.
    pub(super) fn due(&mut self) -> bool {
        self.steps += 1;
        if !self.steps.is_multiple_of(self.stride) {
            return false;
        }
        let elapsed = self.shown.elapsed();
        if elapsed < self.frame {
            return false;
        }
        let steps_a_frame = f64::from(self.steps) * self.frame.div_duration_f64(elapsed);
        *self = Self {
            stride: ((steps_a_frame / 4.0) as u32).max(1),
            shown: Instant::now(),
            steps: 0,
            frame: self.frame,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_asked_less_often_the_shorter_the_steps() {
        let mut clock = FrameClock::new(Duration::from_millis(2));
        let steps = (0..).take_while(|_| !clock.due()).count();
        assert!(steps > 100, "a step of nothing took more than 20 µs: {steps} steps in 2 ms");
        assert!(clock.stride > 10, "{}", clock.stride);
    }

    #[test]
    fn slow_steps_are_each_shown() {
        let mut clock = FrameClock::new(Duration::from_millis(1));
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(2));
            assert!(clock.due());
        }
    }
}
