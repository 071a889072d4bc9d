//! One file per command.

mod check;
mod demo;
mod findings;
mod graph;
mod info;
mod red;
mod settings;
mod shift;
mod split;
mod trace_show;
mod traces;
mod ui;
mod validate;

use std::path::Path;

use clap::CommandFactory as _;
use pilothouse_connect::Need;

use crate::args::{Cli, Command, SplitCommand, TracesCommand};
use crate::failure::{Exit, Failure};
use crate::{compose, output};

/// Runs the command.
pub(crate) async fn run(cli: &Cli) -> Result<Exit, Failure> {
    let sources = &cli.sources;
    match &cli.command {
        Command::Check(format) => check::run(sources, format.output).await,
        Command::Graph(args) => {
            graph::run(&compose::api_at(sources, args.at.as_deref()).await?, args).await
        }
        Command::Services(args) => {
            red::services(&compose::api_at(sources, args.at.as_deref()).await?, args).await
        }
        Command::Edges(args) => {
            red::edges(&compose::api_at(sources, args.at.as_deref()).await?, args).await
        }
        Command::Split(command) => run_split(cli, command).await,
        Command::Traces(TracesCommand::Find(args)) => {
            let api = compose::api(sources, Need::Traces).await?;
            traces::find(&api, args, sources.traces_are_saved()).await
        }
        Command::Traces(TracesCommand::Show(args)) => trace_show::run(sources, args).await,
        Command::Validate(args) => validate::run(args),
        Command::Demo(args) => demo::run(sources, args).await,
        Command::Settings(command) => settings::run(command),
        Command::Ui { link } => ui::run(sources, link.as_deref()),
        Command::Info(format) => info::info(format.output),
        Command::Version(format) => info::version(format.output),
        Command::Completion { shell } => completion(*shell),
        Command::Man { folder } => man(folder),
    }
}

async fn run_split(cli: &Cli, command: &SplitCommand) -> Result<Exit, Failure> {
    let (api, demo) = compose::api_and_demo(&cli.sources).await?;
    let done = match command {
        SplitCommand::Get {
            which,
            window,
            output,
        } => split::get(&api, which.as_deref(), *window, *output).await,
        SplitCommand::Set(args) => shift::set(&api, args, cli.sources.read_only).await,
        SplitCommand::Undo(args) => shift::undo(&api, args, cli.sources.read_only).await,
        SplitCommand::History(format) => split::history(&api, format.output),
    };
    if let Some(demo) = demo {
        demo.save()?;
    }
    done
}

fn completion(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pilothousectl", &mut script);
    output::text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::OK)
}

fn man(folder: &Path) -> Result<Exit, Failure> {
    let written = clap_mangen::generate_to(Cli::command(), folder);
    let cannot = |error| Failure::other(format!("writing into {}: {error}", folder.display()));
    written.map_err(cannot)?;
    Ok(Exit::OK)
}
