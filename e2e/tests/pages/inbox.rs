//! The inbox of the embedded service, for people at this machine.

use bookly_e2e::prelude::*;
use bookly_e2e::stack::run;

fn embedded() -> StackOptions {
    StackOptions::new(Kind::Embedded)
}

/// The ids that the list links to, in its order.
fn ids(page: &str) -> Vec<String> {
    let links = page.split(r#"href="/inbox/"#).skip(1);
    let ids = links.filter_map(|rest| rest.split('"').next().map(str::to_owned));
    ids.filter(|id| uuid::Uuid::parse_str(id).is_ok()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_are_shown_newest_first_in_all_their_parts() -> Result<()> {
    run(embedded(), async |stack| {
        let (first, second) = (Person::new(), Person::new());
        for person in [&first, &second] {
            stack.sign_up(person).await?;
            stack.mail(&person.email, "Verify your email").await?;
        }
        let api = stack.api();
        let list = api.visit("//inbox").page(200).await?;
        let newest = list.find(&second.email).context("the newest mail")?;
        assert!(newest < list.find(&first.email).context("the older mail")?, "newest first");
        let ids = ids(&list);
        let id = ids.first().context("a link to a mail")?;
        let shown = api.visit(&format!("//inbox/{id}")).page(200).await?;
        assert!(shown.contains("Verify your email") && shown.contains(&second.email), "{shown}");
        let html = api.get(&format!("//inbox/{id}/html")).answer().await?;
        assert!(html.body.contains("Verify my email"), "{html:?}");
        assert!(html.header("content-security-policy").contains("sandbox"), "a mail runs nothing: {html:?}");
        let text = api.get(&format!("//inbox/{id}/text")).answer().await?;
        assert!(
            text.header("content-type").starts_with("text/plain")
                && text.body.contains("/api/v1/auth/verify/")
        );
        let source = api.get(&format!("//inbox/{id}/source")).answer().await?;
        assert!(source.header("content-type").starts_with("text/plain"));
        assert!(source.body.contains("Auto-Submitted: auto-generated"), "{source:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_inbox_is_a_page_too() -> Result<()> {
    run(embedded(), async |stack| {
        stack.api().visit("//inbox").page(200).await?;
        let unknown = format!("//inbox/{}", uuid::Uuid::new_v4());
        for path in [&unknown, &format!("{unknown}/html"), "//inbox/../data"] {
            assert_eq!(stack.api().get(path).answer().await?.status, 404, "{path}");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_host_or_a_proxy_sees_no_inbox() -> Result<()> {
    run(embedded(), async |stack| {
        let inbox = || stack.api().get("//inbox");
        for host in ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test:8000"] {
            inbox().header(header::HOST, host).refused(404, "not_found").await.context(host)?;
        }
        inbox().header("X-Forwarded-For", "127.0.0.1").refused(404, "not_found").await?;
        assert_eq!(inbox().header(header::HOST, "localhost:8000").answer().await?.status, 200);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_inbox_where_mails_are_really_sent() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        stack.api().get("//inbox").refused(404, "not_found").await?;
        Ok(())
    })
    .await
}
