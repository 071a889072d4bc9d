//! Writes are locked until somebody allows them, and lock themselves again.

use pilothouse_core::model::Moment;

use super::Changes;
use super::words::CommandError;
use crate::config::Class;

impl Changes {
    /// Unlocks writes for a while. A production context wants its name typed.
    ///
    /// # Errors
    /// [`CommandError::WrongName`], and [`CommandError::ReadOnly`] where nothing may be written at all.
    pub fn arm(&self, typed_name: Option<&str>) -> Result<Moment, CommandError> {
        let config = self.observation.config();
        if config.read_only {
            return Err(CommandError::ReadOnly);
        }
        if config.class == Class::Production && typed_name != Some(config.context.as_str()) {
            return Err(CommandError::WrongName);
        }
        let until = self.observation.now().plus(config.armed_for);
        self.lock().armed_until = Some(until);
        Ok(until)
    }

    /// Locks writes again.
    pub fn disarm(&self) {
        self.lock().armed_until = None;
    }

    /// Until when writes are possible at this moment: `None` = locked. A demo is never locked.
    #[must_use]
    pub fn armed_until(&self) -> Option<Moment> {
        let config = self.observation.config();
        if config.read_only {
            return None;
        }
        match config.class {
            Class::Demo => Some(Moment(i64::MAX)),
            Class::Production | Class::Normal => {
                let now = self.observation.now();
                self.lock().armed_until.filter(|until| *until > now)
            }
        }
    }
}
