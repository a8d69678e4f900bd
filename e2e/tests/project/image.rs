//! The container image and the stack around it: the build context holds the whole workspace, and `docker-compose.yml`
//! passes every setting on. Neither test needs a Docker Engine; `scripts/compose` tries the stack itself.
#![expect(clippy::unwrap_used, reason = "in tests a panic is the verdict")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bookly_e2e::process::binary;
use bookly_shared::config::table::SETTINGS;
use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Settings that have no place in the stack: Redis is named by its URL, emails leave by SMTP, no file
/// of the host is read or written.
const NOT_PASSED: [&str; 7] = [
    "DATA_DIR",
    "MAIL_OAUTH_SERVICE_ACCOUNT_FILE",
    "MAIL_TRANSPORT",
    "REDIS_HOST",
    "REDIS_PORT",
    "SSL_CERT_FILE",
    "TEMPLATE_FOLDER",
];

#[test]
fn the_commands_of_the_dockerfile_find_the_whole_workspace() {
    assert_eq!(run_dockerfile(&ignored()), Ok(()));
}

#[test]
fn a_context_without_one_of_the_crates_is_noticed() {
    let members = workspace(Path::new(ROOT)).unwrap();
    let folders: BTreeSet<&str> = members.iter().filter_map(|target| target.path.split('/').next()).collect();
    assert!(folders.len() >= 5, "{folders:?}");
    for folder in folders.into_iter().chain(["bench/benches", "Cargo.lock"]) {
        let mut ignored = ignored();
        ignored.push(folder.to_owned());
        assert!(run_dockerfile(&ignored).is_err(), "nothing is wrong without {folder}");
    }
}

#[test]
fn every_file_that_the_programs_are_made_of_is_in_the_build_context() {
    let ignored = ignored();
    let root = fs::canonicalize(ROOT).unwrap();
    for program in ["bookly-api", "bookly-worker"] {
        // Written by cargo beside the program: its path, a colon, and all files it was compiled from.
        let record = fs::read_to_string(binary(program).unwrap().with_extension("d")).unwrap();
        let files = record.split_whitespace().skip(1).filter_map(|file| fs::canonicalize(file).ok());
        let ours: Vec<PathBuf> = files
            .filter_map(|file| Some(file.strip_prefix(&root).ok()?.to_owned()))
            .filter(|file| !file.starts_with("target"))
            .collect();
        assert!(ours.iter().any(|file| file.starts_with("templates")), "{program}: {ours:?}");
        let missing: Vec<_> = ours.iter().filter(|file| is_ignored(file, &ignored)).collect();
        assert!(missing.is_empty(), "{program}: .dockerignore leaves out {missing:?}");
    }
}

#[test]
fn the_stack_passes_every_setting_and_no_other_variable() {
    let stack = fs::read_to_string(format!("{ROOT}/docker-compose.yml")).unwrap();
    let (_, after) = stack.split_once("  environment:\n").unwrap();
    let block = after.lines().take_while(|line| line.starts_with("    "));
    let names: Vec<&str> = block.filter_map(|line| line.trim().split(':').next()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.starts_with('#')).collect();
    for setting in SETTINGS.iter().map(|setting| setting.name()) {
        assert!(names.contains(&setting) != NOT_PASSED.contains(&setting), "docker-compose.yml: {setting}");
    }
    for name in names {
        let known = name == "RUST_LOG" || SETTINGS.iter().any(|setting| setting.is_read_from(name));
        assert!(known, "docker-compose.yml: {name} is no setting");
    }
}

#[test]
fn every_image_has_a_version() {
    let stack = fs::read_to_string(format!("{ROOT}/docker-compose.yml")).unwrap();
    let dockerfile = fs::read_to_string(format!("{ROOT}/Dockerfile")).unwrap();
    let images = stack.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    let stages: Vec<&str> = dockerfile.lines().filter_map(|line| line.split(" AS ").nth(1)).collect();
    let bases = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next());
    let others =
        images.chain(bases).filter(|image| !stages.contains(image) && !image.starts_with("${BOOKLY_IMAGE"));
    for image in others {
        let version = image.split_once(':').map(|(_, version)| version);
        assert!(version.is_some_and(|version| version != "latest"), "{image}");
    }
}

/// What `.dockerignore` leaves out. Only whole paths are understood here, so only they may stand there.
fn ignored() -> Vec<String> {
    let lines = fs::read_to_string(format!("{ROOT}/.dockerignore")).unwrap();
    let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
    let is_pattern = |line: &&String| line.is_empty() || line.contains(['*', '?', '[', '!', '#']);
    assert_eq!(lines.iter().find(is_pattern), None, ".dockerignore");
    lines
}

fn is_ignored(path: &Path, ignored: &[String]) -> bool {
    ignored.iter().any(|line| path.starts_with(line))
}

/// Runs the Dockerfile's commands, stage by stage, in empty folders. Each of cargo is only a look at the workspace; what
/// has no source in the context is not run.
fn run_dockerfile(ignored: &[String]) -> Result<(), String> {
    let expected = workspace(Path::new(ROOT))?;
    let context = tempfile::tempdir().unwrap();
    copy(Path::new(ROOT), context.path(), &|path| !is_ignored(path, ignored));
    let text = fs::read_to_string(format!("{ROOT}/Dockerfile")).unwrap().replace("\\\n", " ");
    let (mut folder, mut copied, mut looked_at) = (tempfile::tempdir().unwrap(), false, false);
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["FROM", ..] => (folder, copied) = (tempfile::tempdir().unwrap(), false),
            ["COPY", from, ..] if from.starts_with("--from=") => {}
            ["COPY", ref sources @ .., target] => {
                copied = true;
                for source in sources {
                    copy_into(context.path(), source, &folder.path().join(target))?;
                }
            }
            ["RUN", ..] if copied && line.contains("cargo") => {
                looked_at = true;
                let found = workspace(folder.path()).map_err(|error| format!("{line}: {error}"))?;
                let missing: Vec<_> = expected.difference(&found).collect();
                if !missing.is_empty() {
                    return Err(format!("{line}: without {missing:?}"));
                }
            }
            _ => {}
        }
    }
    if looked_at { Ok(()) } else { Err("no command of cargo follows a COPY".to_owned()) }
}

/// A library, program, test or measurement of the workspace, and the file that it begins with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    path: String,
    name: String,
}

/// All targets of a workspace whose files are there.
fn workspace(folder: &Path) -> Result<BTreeSet<Target>, String> {
    let folder = fs::canonicalize(folder).unwrap();
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    cargo.args(["metadata", "--offline", "--locked", "--format-version", "1", "--manifest-path"]);
    let output = cargo.arg(folder.join("Cargo.toml")).output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let targets = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|package| package["targets"].as_array().unwrap());
    let ours = targets.filter_map(|target| {
        let file = Path::new(target["src_path"].as_str()?);
        let path = file.strip_prefix(&folder).ok()?.to_str()?.to_owned();
        let name = target["name"].as_str()?.to_owned();
        file.is_file().then_some(Target { path, name })
    });
    Ok(ours.collect())
}

/// As COPY does: a folder's content, or a file under its own name into a folder.
fn copy_into(context: &Path, source: &str, target: &Path) -> Result<(), String> {
    let from = context.join(source);
    if from.is_dir() {
        copy(&from, target, &|_| true);
        return Ok(());
    }
    let name = from.file_name().unwrap_or_default();
    fs::create_dir_all(target).unwrap();
    fs::copy(&from, target.join(name)).map_err(|error| format!("COPY {source}: {error}"))?;
    Ok(())
}

/// Copies a folder's files. The paths that `wanted` is asked for are relative to it.
fn copy(from: &Path, to: &Path, wanted: &dyn Fn(&Path) -> bool) {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        fs::create_dir_all(to.join(&folder)).unwrap();
        for entry in fs::read_dir(from.join(&folder)).unwrap().map(Result::unwrap) {
            let path = folder.join(entry.file_name());
            if !wanted(&path) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else {
                fs::copy(entry.path(), to.join(&path)).unwrap();
            }
        }
    }
}
