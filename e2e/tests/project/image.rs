//! The container image and the stack around it: the build context holds the whole workspace, and `docker-compose.yml`
//! passes every setting on to the program that needs it. Neither test needs a Docker Engine; `scripts/compose` tries the stack itself.
#![expect(clippy::unwrap_used, reason = "in tests a panic is the verdict")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bookly_e2e::process::binary;
use bookly_shared::config::table::SETTINGS;
use bookly_shared::config::{MailTransport, Settings};
use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Settings that have no place in the stack: Redis is named by its URL, emails leave by SMTP, no file
/// of the host is read or written. The file says so.
const NOT_PASSED: [&str; 7] = [
    "DATA_DIR",
    "MAIL_OAUTH_SERVICE_ACCOUNT_FILE",
    "MAIL_TRANSPORT",
    "REDIS_HOST",
    "REDIS_PORT",
    "SSL_CERT_FILE",
    "TEMPLATE_FOLDER",
];

/// How the settings begin that only a worker gets: the login at the mail server, and the fallback.
const OF_WORKERS: [&str; 5] =
    ["MAIL_USERNAME", "MAIL_PASSWORD", "MAIL_AUTH", "MAIL_OAUTH_", "MAIL_FALLBACK_"];

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
fn the_stack_passes_every_setting_and_no_other_variable_and_the_login_at_the_mail_server_to_workers_only() {
    let stack = Environment::of_stack();
    for setting in SETTINGS.iter().map(|setting| setting.name()) {
        let is_passed = stack.worker.iter().any(|(name, _)| name == setting);
        assert!(is_passed != NOT_PASSED.contains(&setting), "docker-compose.yml: {setting}");
        let of_login = OF_WORKERS.iter().any(|start| setting.starts_with(start));
        let is_passed_to_api = stack.api.iter().any(|(name, _)| name == setting);
        assert_eq!(is_passed_to_api, is_passed && !of_login, "docker-compose.yml: {setting}");
    }
    for (name, _) in stack.api.iter().chain(&stack.worker) {
        let known = name == "RUST_LOG" || SETTINGS.iter().any(|setting| setting.is_read_from(name));
        assert!(known, "docker-compose.yml: {name} is no setting");
    }
    let text = read_stack();
    let head = text.split_once("x-settings:").unwrap().0;
    for setting in NOT_PASSED {
        assert!(head.contains(setting), "docker-compose.yml does not say that {setting} is not passed");
    }
}

/// What `docker-compose.yml` names beside `MAIL_SERVER`, and no more, for a server with a login.
#[test]
fn both_programs_start_with_the_settings_that_the_stack_asks_for() {
    let stack = Environment::of_stack();
    let catcher: &[(&str, &str)] = &[];
    let server = &[
        ("MAIL_SERVER", "smtp.example.org"),
        ("MAIL_PORT", "587"),
        ("MAIL_STARTTLS", "true"),
        ("USE_CREDENTIALS", "true"),
        ("MAIL_USERNAME", "bookly"),
        ("MAIL_PASSWORD", "a-password"),
        ("MAIL_FROM", "noreply@example.org"),
        ("DOMAIN", "books.example.org"),
    ];
    let head = read_stack().split_once("\n\n").unwrap().0.to_owned();
    for (name, _) in server {
        assert!(head.contains(name), "{name}");
    }
    for chosen in [catcher, server] {
        for (program, environment) in [("api", &stack.api), ("worker", &stack.worker)] {
            let settings = Settings::from_vars(resolved(environment, chosen))
                .unwrap_or_else(|error| panic!("{program}: {error}"));
            assert_eq!(settings.warnings, [""; 0], "{program}");
            let MailTransport::Smtp(to) = &settings.mail.transport else {
                panic!("{program} sends to files")
            };
            let has_login = program == "worker" && chosen == server;
            assert_eq!(to.credentials.is_some(), has_login, "{program}");
        }
    }
}

/// The variables of the two programs, with their values as they stand in the file.
struct Environment {
    api: Vec<(String, String)>,
    worker: Vec<(String, String)>,
}

impl Environment {
    fn of_stack() -> Environment {
        let text = read_stack();
        let after = |text: &str, start: &str| text.split_once(start).unwrap().1.to_owned();
        let of_both = variables(&after(&text, "\nx-settings: &settings\n"), "  ");
        let of = |service: &str| {
            let service = after(&text, &format!("\n  {service}:\n"));
            let own = variables(&after(&service, "\n    environment:\n      <<: *settings\n"), "      ");
            of_both.iter().cloned().chain(own).collect()
        };
        Environment { api: of("api"), worker: of("worker") }
    }
}

fn read_stack() -> String {
    fs::read_to_string(format!("{ROOT}/docker-compose.yml")).unwrap()
}

/// The names and values of the lines with this indentation, to the first with another.
fn variables(block: &str, indentation: &str) -> Vec<(String, String)> {
    let lines = block.lines().map_while(|line| line.strip_prefix(indentation));
    let lines = lines.take_while(|line| !line.starts_with(' ')).filter(|line| !line.starts_with('#'));
    let variables = lines.map(|line| line.split_once(':').unwrap());
    variables.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

/// The values that Compose gives the variables where these are chosen, and each required one is a long secret.
fn resolved(environment: &[(String, String)], chosen: &[(&str, &str)]) -> Vec<(String, String)> {
    let of = |wanted: &str| chosen.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    let value_of = |(name, value): &(String, String)| {
        let mut text = value.split(" #").next().unwrap().trim_matches('"').to_owned();
        while let Some((before, rest)) = text.split_once("${") {
            let (variable, after) = rest.split_once('}').unwrap();
            let (wanted, unset) = variable.split_once(':').unwrap();
            let unset = unset.strip_prefix('-').unwrap_or("0123456789abcdef0123456789abcdef");
            text = format!("{before}{}{after}", of(wanted).unwrap_or(unset));
        }
        let text = if value.is_empty() { of(name).unwrap_or_default().to_owned() } else { text };
        (name.clone(), text)
    };
    environment.iter().map(value_of).filter(|(_, value)| !value.is_empty()).collect()
}

#[test]
fn every_image_has_a_version() {
    let stack = read_stack();
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
