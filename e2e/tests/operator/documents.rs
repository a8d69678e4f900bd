//! Every command in the documents runs as it is written there.

use std::fs;

use super::*;

/// The commands of the worker in the shell blocks of a document, without their comments.
fn commands_of(document: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(document)).unwrap();
    let blocks = text.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    let lines = blocks.flat_map(str::lines).filter(|line| line.starts_with(WORKER));
    lines.map(|line| line.split(" #").next().unwrap_or(line).trim().to_owned()).collect()
}

both! {
    async fn every_command_in_the_documents_runs(stack: &Stack) {
        let commands = [commands_of("README.md"), commands_of("docs/operations.md")].concat();
        assert!(commands.len() > 10, "{commands:#?}");
        for line in commands {
            let person = signed_up(stack).await?;
            let id = id_of(stack, &person.email).await?;
            match line.split_whitespace().nth(2) {
                Some("retry") => mark_failed(stack, &person.email).await?,
                Some("cancel") => queue_for_later(stack, &person.email).await?,
                _ => {}
            }
            let run = line.replace("<id>", &id);
            let arguments: Vec<&str> = run.split_whitespace().skip(1).collect();
            said(stack, &arguments).await.with_context(|| line.clone())?;
        }
    }
}
