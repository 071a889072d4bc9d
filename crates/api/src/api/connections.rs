//! Choosing, looking at and opening contexts; what the window remembers.

use tokio::sync::watch;

use super::Api;
use crate::convert::bad_request;
use crate::dto::{
    AddressesRequest, ApiError, CheckView, ChooserView, ContextRequest, FileRequest, MemoryRequest,
    MemoryView, NamespacesRequest, OpenRequest, SessionView, SourceRequest, TextView,
};
use crate::report::report;

/// Sizes in which a window can be shown.
const ZOOMS: std::ops::RangeInclusive<f64> = 0.5..=3.0;

impl Api {
    /// Everything that can be chosen. Reads files; contacts nobody.
    ///
    /// # Errors
    /// If this program opens only what its flags name.
    pub fn chooser(&self) -> Result<ChooserView, ApiError> {
        let mut chooser = self.workspace().connector()?.chooser();
        let open = self.workspace().contexts();
        for context in &mut chooser.contexts {
            context.is_open = open.contains(&context.id);
        }
        Ok(chooser)
    }

    /// Begins to look at a context; its steps come with the updates.
    ///
    /// # Errors
    /// If this program opens only what its flags name.
    pub fn check_context(&self, request: &ContextRequest) -> Result<CheckView, ApiError> {
        self.workspace().begin_check(&request.context)
    }

    /// Stops looking at a context; a credential plugin that is waited for is ended.
    pub fn cancel_check(&self, request: &ContextRequest) {
        self.workspace().cancel_check(&request.context);
    }

    /// Opens a context; one that was not looked at is looked at first, and opened as soon as that went well.
    ///
    /// # Errors
    /// If this program opens only what its flags name, or the journal cannot be read.
    pub async fn open_context(&self, request: &OpenRequest) -> Result<SessionView, ApiError> {
        self.workspace()
            .open(&request.context, request.beside)
            .await?;
        Ok(self.session_of(&request.context))
    }

    /// Closes a context.
    #[must_use]
    pub fn close_context(&self, request: &ContextRequest) -> SessionView {
        self.workspace().close(&request.context);
        self.session()
    }

    /// Signs in to an open context again and asks its sources at once.
    ///
    /// # Errors
    /// If it is not open.
    pub fn log_in_again(&self, request: &ContextRequest) -> Result<(), ApiError> {
        let engine = self.workspace().engine_of(Some(&request.context))?;
        engine.log_in_again();
        Ok(())
    }

    /// Takes other namespaces for a context and looks at it again; one that is open is reopened when that went well.
    /// Reads and writes files.
    ///
    /// # Errors
    /// If they make no sense, or cannot be remembered.
    #[expect(clippy::unused_async, reason = "the new look needs the runtime")]
    pub async fn choose_namespaces(&self, request: &NamespacesRequest) -> Result<(), ApiError> {
        self.workspace().connector()?.choose_namespaces(request)?;
        self.workspace().look_again(&request.context)
    }

    /// Takes another metrics or trace source for a context and looks at it again; one that is open is reopened when that
    /// went well. Reads and writes files.
    ///
    /// # Errors
    /// If it makes no sense, or cannot be remembered.
    #[expect(clippy::unused_async, reason = "the new look needs the runtime")]
    pub async fn choose_source(&self, request: &SourceRequest) -> Result<(), ApiError> {
        self.workspace().connector()?.choose_source(request)?;
        self.workspace().look_again(&request.context)
    }

    /// Metrics and traces by address, without an API server: the id of that place.
    ///
    /// # Errors
    /// If they make no sense, or cannot be remembered.
    pub fn add_addresses(&self, request: &AddressesRequest) -> Result<ContextRequest, ApiError> {
        let context = self.workspace().connector()?.add_addresses(request)?;
        Ok(ContextRequest { context })
    }

    /// Reads one more kubeconfig from now on.
    ///
    /// # Errors
    /// If it cannot be read or remembered.
    pub fn add_kubeconfig(&self, request: &FileRequest) -> Result<ChooserView, ApiError> {
        self.workspace().connector()?.add_kubeconfig(request)?;
        self.chooser()
    }

    /// What was asked of a context and answered, as text to copy; nothing in it is secret.
    ///
    /// # Errors
    /// If nobody looked at it.
    pub fn connection_report(&self, request: &ContextRequest) -> Result<TextView, ApiError> {
        let check = self.workspace().check_of(&request.context);
        let nothing = || crate::convert::not_found("nobody looked at this context yet");
        Ok(TextView {
            text: report(&check.ok_or_else(nothing)?),
        })
    }

    /// What the window remembers; nothing where nothing is remembered.
    #[must_use]
    pub fn memory(&self) -> MemoryView {
        let connector = self.workspace().connector();
        connector.map(|known| known.memory()).unwrap_or_default()
    }

    /// Keeps what the window wants to remember.
    ///
    /// # Errors
    /// If it is too large or cannot be written.
    pub fn remember(&self, request: &MemoryRequest) -> Result<(), ApiError> {
        if let Some(zoom) = request.zoom {
            if !ZOOMS.contains(&zoom) {
                return Err(bad_request("a window is shown at 50 % to 300 %"));
            }
            self.workspace().set_zoom(zoom);
        }
        match self.workspace().connector() {
            Ok(connector) => connector.remember(request),
            // Flags name everything: nothing is to be found again.
            Err(_) => Ok(()),
        }
    }
    /// Size of everything in the window, 1 = as drawn: the remembered one, then what the page asks for. Reads files.
    #[must_use]
    pub fn zoom(&self) -> watch::Receiver<f64> {
        let kept = self.memory().zoom;
        self.workspace().set_zoom(kept);
        self.workspace().zoom()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dto::Code;
    use crate::workspace::Workspace;

    #[test]
    fn the_size_of_everything_is_passed_on_within_its_limits() {
        let api = Api::new(Workspace::empty(None).unwrap());
        let seen = api.zoom();
        let ask = |zoom: f64| {
            api.remember(&MemoryRequest {
                zoom: Some(zoom),
                ..MemoryRequest::default()
            })
        };
        ask(1.5).unwrap();
        for wrong in [0.0, 0.49, 3.01, f64::NAN, f64::INFINITY] {
            assert_eq!(ask(wrong).unwrap_err().code, Code::BadRequest);
        }
        assert!((*seen.borrow() - 1.5).abs() < f64::EPSILON);
    }
}
