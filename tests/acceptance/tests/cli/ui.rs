//! `ui`: the desktop app, found and told where to go.

use std::fs;
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use pilothouse_acceptance::{Ctl, WATCHDOG, binary, wait_until};
use tempfile::TempDir;

/// A copy of the command line without the desktop app beside it.
struct Installed(TempDir);

impl Installed {
    fn alone() -> Result<Self> {
        let built = binary("pilothousectl")?;
        let folder = tempfile::tempdir_in(built.parent().context("an odd path")?)?;
        fs::hard_link(&built, folder.path().join("pilothousectl"))?;
        Ok(Self(folder))
    }

    /// Puts a program there that writes down what it is told. Another process writes it: what this one has open for
    /// writing cannot be run while another test starts a program.
    fn with_app(self) -> Result<Self> {
        let told = self.0.path().join("told");
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" > {0}.new && /bin/mv {0}.new {0}\n",
            told.display()
        );
        let written = Command::new("/bin/sh")
            .args([
                "-c",
                "printf %s \"$1\" > pilothouse && chmod +x pilothouse",
                "sh",
                &script,
            ])
            .current_dir(self.0.path())
            .status()?;
        ensure!(written.success(), "the app could not be written");
        Ok(self)
    }

    fn run(&self, display: &str, words: &[&str]) -> Result<Output> {
        let mut command = Command::new(self.0.path().join("pilothousectl"));
        command.args(words).env_clear().env("DISPLAY", display);
        command
            .env("PATH", "/nonexistent")
            .output()
            .context("running pilothousectl")
    }

    fn told(&self) -> Result<Vec<String>> {
        let file = self.0.path().join("told");
        wait_until("the app to be told", WATCHDOG, || {
            Ok(file.is_file().then_some(()))
        })?;
        let text = fs::read_to_string(&file)?;
        fs::remove_file(&file)?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

#[test]
fn the_app_gets_the_link_and_nothing_reads_it_as_a_command() -> Result<()> {
    let installed = Installed::alone()?.with_app()?;
    let cases: [(&[&str], &[&str]); 3] = [
        (
            &["ui", "pilothouse://demo/node/a$(id)%3B'%22%20b?window=300s"],
            &["pilothouse://demo/node/a%24%28id%29%3B%27%22%20b?window=5m"],
        ),
        (
            &["--context=-x", "ui", "--read-only", "-n", "shop"],
            &["--read-only", "--context=-x", "--namespace=shop"],
        ),
        (&["ui", "--demo"], &["--demo"]),
    ];
    for (words, expect) in cases {
        let output = installed.run(":0", words)?;
        ensure!(output.status.success(), "{output:?}");
        assert_eq!(installed.told()?, expect);
    }
    Ok(())
}

#[test]
fn what_cannot_be_opened_is_said_with_what_to_do() -> Result<()> {
    let complaint = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let alone = Installed::alone()?;
    let missing = alone.run(":0", &["ui"])?;
    assert_eq!(missing.status.code(), Some(1));
    ensure!(
        complaint(&missing).contains("hint: install the package"),
        "{missing:?}"
    );
    let installed = alone.with_app()?;
    let dark = installed.run("", &["ui"])?;
    assert_eq!(dark.status.code(), Some(1));
    ensure!(complaint(&dark).contains("no display"), "{dark:?}");
    for words in [
        &["ui", "https://example.com/"] as &[&str],
        &["ui", "pilothouse://demo/exec/x"],
        &["ui", "--prometheus", "http://127.0.0.1:9"],
    ] {
        let refused = installed.run(":0", words)?;
        assert_eq!(refused.status.code(), Some(64), "{words:?}");
    }
    Ok(())
}

#[test]
fn every_command_has_a_man_page() -> Result<()> {
    let ctl = Ctl::new()?;
    let pages = ctl.home().join("man");
    fs::create_dir(&pages)?;
    ctl.run(&["man", pages.to_str().context("an odd path")?])?
        .exits(0)?;
    for name in [
        "pilothousectl",
        "pilothousectl-graph",
        "pilothousectl-split-set",
    ] {
        let page = fs::read_to_string(pages.join(format!("{name}.1")))?;
        ensure!(
            page.contains(".TH") && page.contains(".SH SYNOPSIS"),
            "{page}"
        );
    }
    ctl.run(&["man", "/nonexistent"])?
        .exits(1)?
        .complains("/nonexistent")?;
    Ok(())
}
