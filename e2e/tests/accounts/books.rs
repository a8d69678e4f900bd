//! Books: the resource that verified accounts may use.

use bookly_e2e::prelude::*;
use bookly_e2e::stack::Tokens;
use reqwest::{Method, RequestBuilder};
use uuid::Uuid;

fn book(title: &str) -> Value {
    json!({"title": title, "author": "Ursula K. Le Guin", "publisher": "Ace", "published_date": "1969-03-01",
           "page_count": 286, "language": "en"})
}

fn call(stack: &Stack, tokens: &Tokens, method: Method, path: &str) -> RequestBuilder {
    stack.api().request(method, &format!("/books{path}")).bearer_auth(&tokens.access)
}

async fn add(stack: &Stack, tokens: &Tokens, title: &str) -> Result<String> {
    let made = call(stack, tokens, Method::POST, "/").json(&book(title)).expect(201).await?;
    Ok(made["uid"].as_str().context("a uid")?.to_owned())
}

fn titles(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|book| book["title"].as_str()).collect()
}

both! {
    async fn a_book_is_added_read_changed_and_removed(stack: &Stack) {
        let member = stack.member().await?;
        let tokens = &member.tokens;
        let made = call(stack, tokens, Method::POST, "/").json(&book("Left Hand")).expect(201).await?;
        let uid = made["uid"].as_str().context("a uid")?;
        for (key, value) in book("Left Hand").as_object().context("an object")? {
            assert_eq!(&made[key], value);
        }
        assert_eq!(made["user_uid"], member.uid);
        let path = format!("/{uid}");
        assert_eq!(call(stack, tokens, Method::GET, &path).expect(200).await?, made);
        let patch = json!({"title": "The Left Hand of Darkness"});
        let changed = call(stack, tokens, Method::PATCH, &path).json(&patch).expect(200).await?;
        assert_eq!(changed["title"], "The Left Hand of Darkness");
        assert_eq!(changed["author"], made["author"], "what a patch leaves out stays");
        let me = stack.me(&tokens.access).expect(200).await?;
        assert_eq!(titles(&me["books"]), ["The Left Hand of Darkness"]);
        let removed = call(stack, tokens, Method::DELETE, &path).answer().await?;
        assert_eq!((removed.status.as_u16(), removed.body.as_str()), (204, ""));
        call(stack, tokens, Method::GET, &path).refused(404, "book_not_found").await?;
    }

    async fn books_are_listed_newest_first_in_parts(stack: &Stack) {
        let tokens = stack.member().await?.tokens;
        for title in ["one", "two", "three"] {
            add(stack, &tokens, title).await?;
        }
        let list = async |query: &str| call(stack, &tokens, Method::GET, query).expect(200).await;
        assert_eq!(titles(&list("/").await?), ["three", "two", "one"]);
        assert_eq!(titles(&list("").await?), ["three", "two", "one"], "without the trailing slash");
        assert_eq!(titles(&list("/?limit=1&offset=1").await?), ["two"]);
        for wrong in ["?limit=0", "?limit=101", "?limit=x", "?offset=-1"] {
            call(stack, &tokens, Method::GET, wrong).refused(422, "validation_error").await?;
        }
    }

    async fn the_books_of_a_person_can_be_listed(stack: &Stack) {
        let (one, other) = (stack.member().await?, stack.member().await?);
        add(stack, &one.tokens, "mine").await?;
        add(stack, &other.tokens, "theirs").await?;
        for path in [format!("/user/{}", one.uid), format!("/user/{}/", one.uid)] {
            let list = call(stack, &other.tokens, Method::GET, &path).expect(200).await?;
            assert_eq!(titles(&list), ["mine"]);
        }
    }

    async fn only_the_owner_and_admins_change_a_book(stack: &Stack) {
        let (owner, other, admin) = (stack.member().await?, stack.member().await?, stack.admin().await?);
        let path = format!("/{}", add(stack, &owner.tokens, "mine").await?);
        let patch = json!({"title": "yours"});
        let change = |tokens| call(stack, tokens, Method::PATCH, &path).json(&patch);
        change(&other.tokens).refused(403, "insufficient_permissions").await?;
        call(stack, &other.tokens, Method::DELETE, &path).refused(403, "insufficient_permissions").await?;
        let read = call(stack, &other.tokens, Method::GET, &path).expect(200).await?;
        assert_eq!(read["title"], "mine", "everybody reads");
        change(&admin.tokens).expect(200).await?;
        assert_eq!(call(stack, &admin.tokens, Method::DELETE, &path).answer().await?.status, 204);
    }

    async fn a_book_that_is_not_there_is_not_found(stack: &Stack) {
        let tokens = stack.member().await?.tokens;
        let path = format!("/{}", Uuid::new_v4());
        for method in [Method::GET, Method::DELETE] {
            call(stack, &tokens, method, &path).refused(404, "book_not_found").await?;
        }
        let patch = call(stack, &tokens, Method::PATCH, &path).json(&json!({"title": "x"}));
        patch.refused(404, "book_not_found").await?;
        let answer = call(stack, &tokens, Method::GET, "/not-a-uuid").answer().await?;
        assert!([404, 422].contains(&answer.status.as_u16()), "{answer:?}");
    }

    async fn wrong_books_are_refused_by_field(stack: &Stack) {
        let tokens = stack.member().await?.tokens;
        for (field, value) in [
            ("published_date", json!("yesterday")),
            ("page_count", json!("many")),
            ("title", Value::Null),
        ] {
            let mut wrong = book("x");
            wrong[field] = value;
            let refused = call(stack, &tokens, Method::POST, "/").json(&wrong).refused(422, "validation_error").await?;
            assert_eq!(refused["errors"][0]["field"], field, "{refused}");
        }
    }
}
