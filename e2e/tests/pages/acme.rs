//! `examples/acme`: a product with another name. This service's own name is in nothing that its people see: no email, page,
//! document, header or cookie.

use bookly_e2e::client::{Answer, BROWSER_ACCEPT};
use bookly_e2e::example::Example;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::ReceivedMail;
use bookly_e2e::stack::{Member, run};
use reqwest::RequestBuilder;
use reqwest::redirect::Policy;

const OTHER_NAME: &str = "bookly";
/// The override of the example.
const VERIFY_SUBJECT: &str = "Welcome to Acme! Please confirm your address";

async fn with_acme(kind: Kind, test: impl AsyncFn(&Stack) -> Result<()>) -> Result<()> {
    let example = Example::named("acme")?;
    let options = example.added_to(StackOptions::new(kind), |name, value| match name {
        "TEMPLATE_FOLDER" => example.folder().join("../..").join(value).display().to_string(),
        _ => value.to_owned(),
    });
    run(options, test).await
}

fn refuse(what: &str, text: &str) -> Result<()> {
    ensure!(!text.to_lowercase().contains(OTHER_NAME), "{what} names {OTHER_NAME}: {text}");
    Ok(())
}

/// The answer, whose status line, headers and body must not have the other name.
async fn checked(what: &str, request: RequestBuilder) -> Result<Answer> {
    let answer = request.answer().await?;
    for (name, value) in &answer.headers {
        refuse(what, &format!("{name}: {}", value.to_str().unwrap_or_default()))?;
    }
    refuse(what, &answer.body)?;
    Ok(answer)
}

/// A link of an email, to the frontend: its token, after `#token=`.
fn token(mail: &ReceivedMail) -> Result<String> {
    let link = mail.link("https://app.acme.example/").context("a link to the frontend")?;
    Ok(link.split_once("#token=").context("a token")?.1.to_owned())
}

/// Makes the service send an email of every kind, and returns an administrator.
async fn every_kind_of_mail(stack: &Stack) -> Result<Member> {
    let person = Person::new();
    let api = stack.api();
    let calls = "what a person calls";
    checked(calls, api.post("/auth/signup").json(&person)).await?;
    let verify = token(&stack.mail(&person.email, VERIFY_SUBJECT).await?)?;
    checked(calls, api.post(&format!("/auth/verify/{verify}"))).await?;
    stack.command("bookly-api", &["user", "role", &person.email, "admin"]).await?.succeeded()?;
    stack.ask_for_reset(&person.email).expect(200).await?;
    let reset = token(&stack.mail(&person.email, "Reset Your Password").await?)?;
    let person = person.with_password(&new_password());
    checked(calls, stack.reset(&format!("/auth/password-reset-confirm/{reset}"), &person.password)).await?;
    let notice = stack.mail(&person.email, "Your password was changed").await?;
    ensure!(notice.link("https://app.acme.example/forgotten").is_some(), "{notice:?}");
    let (tokens, moved) = (stack.log_in(&person).await?, new_address());
    let body = json!({"new_email": moved, "password": person.password});
    checked(calls, api.post("/auth/email-change-request").bearer_auth(&tokens.access).json(&body)).await?;
    stack.mail(&person.email, "Your email address is about to change").await?;
    let change = token(&stack.mail(&moved, "Confirm your new email address").await?)?;
    checked(calls, api.post(&format!("/auth/email-change-confirm/{change}"))).await?;
    // The undo has no URL of its own here: its link leads to the built-in page.
    let changed = stack.mail(&person.email, "Your email address was changed").await?;
    ensure!(changed.link("/api/v1/auth/email-change-undo/").is_some(), "{changed:?}");
    let person = Person { email: moved, ..person };
    let tokens = stack.log_in(&person).await?;
    let welcome = json!({"addresses": [new_address()]});
    checked(calls, api.post("/auth/send_mail").bearer_auth(&tokens.access).json(&welcome)).await?;
    stack.settled().await?;
    Ok(Member { person, uid: String::new(), tokens })
}

async fn no_email_has_another_name(stack: &Stack) -> Result<()> {
    every_kind_of_mail(stack).await?;
    let mails = stack.mails()?;
    ensure!(mails.len() >= 7, "{} emails", mails.len());
    for mail in mails {
        let subject = mail.subject().context("a subject")?;
        refuse(&subject, &String::from_utf8_lossy(&mail.data))?;
        let (text, html) = (mail.text().context("text")?, mail.html().context("HTML")?);
        refuse(&subject, &text)?;
        refuse(&subject, &html)?;
        ensure!(
            mail.header("From").as_deref() == Some("\"Acme Accounts\" <noreply@acme.example>"),
            "{mail:?}"
        );
        ensure!(mail.header("Reply-To").as_deref() == Some("help@acme.example"), "{mail:?}");
        ensure!(text.contains("\nAcme") && text.contains("help@acme.example"), "{text}");
        ensure!(
            html.contains("https://app.acme.example/logo.png") && html.contains("alt=\"Acme\""),
            "{html}"
        );
    }
    Ok(())
}

async fn no_page_document_header_or_cookie_has_another_name(stack: &Stack) -> Result<()> {
    let admin = every_kind_of_mail(stack).await?;
    let api = stack.api();
    let login = [("email", &*admin.person.email), ("password", &*admin.person.password)];
    // The answer itself, not the page that it leads to, has the cookie.
    let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
    let form = http.post(api.url("//admin/login")).header(header::ORIGIN, api.root()).form(&login);
    let logged_in = checked("login", form).await?;
    let cookie = logged_in.header("set-cookie").split(';').next().context("a cookie")?.to_owned();
    ensure!(cookie.starts_with("__Host-admin_session="), "{logged_in:?}");
    let document = checked("openapi", api.get("/openapi.json")).await?.json()?;
    ensure!(document["info"]["title"] == "Acme", "{document}");
    let mut paths: Vec<String> =
        ["//", "//admin", "//admin/emails", "//admin/emails?state=sent", "//admin/login", "//api/v1/docs/"]
            .map(str::to_owned)
            .into();
    paths.extend(["//health/live", "//health/ready", "//nothing", "//inbox"].map(str::to_owned));
    paths.extend(["//api/v1/docs/swagger-initializer.js", "//api/v1/docs/index.css"].map(str::to_owned));
    for (path, item) in document["paths"].as_object().context("paths")? {
        ensure!(!path.contains("book"), "{path}");
        let id = uuid::Uuid::new_v4().to_string();
        let path = path.replace("{token}", "x").replace("{id}", &id);
        for method in item.as_object().context("calls")?.keys() {
            let request = api.request(method.to_uppercase().parse()?, &format!("/{path}"));
            checked(&path, request.bearer_auth(&admin.tokens.access)).await?;
        }
        paths.push(format!("/{path}"));
    }
    let board = api.get("//admin").header(header::COOKIE, &cookie).answer().await?.body;
    let emails = board.split("href=\"/admin/emails/").skip(1).filter_map(|rest| rest.split('"').next());
    paths.extend(emails.map(|id| format!("//admin/emails/{id}")));
    if stack.kind() == Kind::Embedded {
        let inbox = api.visit("//inbox").page(200).await?;
        let ids = inbox.split("href=\"/inbox/").skip(1).filter_map(|rest| rest.split('"').next());
        for id in ids {
            paths.extend(["", "/html", "/text", "/source"].map(|part| format!("//inbox/{id}{part}")));
        }
    }
    for path in paths {
        for accept in [BROWSER_ACCEPT, "application/json"] {
            let request = api.get(&path).header(header::ACCEPT, accept).header(header::COOKIE, &cookie);
            checked(&path, request).await?;
        }
    }
    let me = checked("/me", stack.me(&admin.tokens.access)).await?;
    ensure!(me.status == 200 || me.status == 401, "{me:?}");
    ensure!(!me.body.contains("books"), "{me:?}");
    Ok(())
}

on_both!(with_acme:
    no_email_has_another_name,
    no_page_document_header_or_cookie_has_another_name,
);

/// Docker is not needed: the override adds the folder with the templates to both services, and the settings come from the
/// same file.
#[test]
fn the_override_of_the_stack_gives_both_services_the_templates_of_the_example() {
    let example = Example::named("acme").unwrap();
    let file = std::fs::read_to_string(example.folder().join("compose.yml")).unwrap();
    let root = example.folder().join("../..");
    let stack = std::fs::read_to_string(root.join("docker-compose.yml")).unwrap();
    let (_, volume) = file.split_once("volumes: [\"").unwrap();
    let (volume, _) = volume.split_once('"').unwrap();
    let [source, target, "ro"] = volume.split(':').collect::<Vec<_>>()[..] else { panic!("{volume}") };
    assert!(root.join(source).join("mail/verify_email/subject.txt").is_file(), "{source}");
    assert!(file.contains(&format!("    TEMPLATE_FOLDER: {target}\n")), "{file}");
    let (_, services) = file.split_once("\nservices:\n").unwrap();
    assert_eq!(services, "  api: *acme\n  worker: *acme\n");
    for service in ["api", "worker"] {
        assert!(stack.contains(&format!("\n  {service}:\n")), "{service}");
    }
    for (name, _) in example.settings() {
        let passed_on = stack.lines().any(|line| line.trim_start().starts_with(&format!("{name}:")));
        let passed_on = passed_on || name == "TEMPLATE_FOLDER";
        assert!(passed_on, "docker-compose.yml does not pass {name} on");
    }
}
