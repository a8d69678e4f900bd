//! Servers that do not follow the RFCs and that other clients accept.

use tokio::io::{AsyncBufReadExt, BufReader};

use super::*;

/// `bookly` and `correct horse` in Base64.
const USER: &str = "Ym9va2x5";
const PASSWORD: &str = "Y29ycmVjdCBob3JzZQ==";

/// A reply to a line of the client; `None` is the usual one.
type Reply = fn(&str) -> Option<&'static [u8]>;

/// A server that greets and replies as given, and as usual otherwise. Accepts one connection.
struct Script {
    greeting: &'static [u8],
    reply: Reply,
}

impl Script {
    /// Sends an email with a login, and returns the lines that the server read.
    async fn send_with_login(self) -> Vec<String> {
        self.play(Some("correct horse")).await
    }

    async fn send(self) -> Vec<String> {
        self.play(None).await
    }

    async fn play(self, password: Option<&str>) -> Vec<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut settings = settings(listener.local_addr().unwrap().port(), Security::Plain);
        settings.host = "127.0.0.1".to_owned();
        settings.credentials = password.map(|password| SmtpCredentials {
            username: "bookly".to_owned(),
            auth: SmtpAuth::Password(password.into()),
        });
        let pool = SmtpPool::new(settings, SmtpOptions::default()).unwrap();
        let server = tokio::spawn(self.serve(listener));
        send(&pool, "a@b.test").await.unwrap();
        pool.close().await;
        tokio::time::timeout(SOON, server).await.unwrap().unwrap()
    }

    async fn serve(self, listener: TcpListener) -> Vec<String> {
        let (tcp, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = tcp.into_split();
        let (mut lines, mut read, mut in_message) = (BufReader::new(reader).lines(), Vec::new(), false);
        writer.write_all(self.greeting).await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            if in_message && line != "." {
                continue;
            }
            in_message = line == "DATA";
            let usual: &[u8] = match line.as_str() {
                "DATA" => b"354 go\r\n",
                "QUIT" => b"221 bye\r\n",
                _ => b"250 ok\r\n",
            };
            writer.write_all((self.reply)(&line).unwrap_or(usual)).await.unwrap();
            read.push(line);
        }
        read
    }
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_accepted_in_replies() {
    let reply: Reply = |line| match line {
        _ if line.starts_with("EHLO") => Some(b"250-gr\xfc\xdf dich\r\n250 AUTH PLAIN\r\n"),
        _ if line.starts_with("AUTH") => Some(b"235 willkommen zur\xfcck\r\n"),
        _ if line.starts_with("MAIL") => Some(b"250 gepr\xfcft\r\n"),
        "." => Some(b"250 \xff\xfe queued\r\n"),
        _ => None,
    };
    Script { greeting: b"220 mx \xe9\xe8\x80\r\n", reply }.send_with_login().await;
}

#[tokio::test]
async fn the_prompts_of_auth_login_may_have_any_text() {
    // "User Name:", "Login:", "Benutzer" and "PIN", an empty one, and one that is not Base64.
    for prompts in [
        ["334 VXNlciBOYW1lOg==\r\n", "334 UGFzc3dvcmQ6\r\n"],
        ["334 TG9naW46\r\n", "334 UGFzc3dvcmQ6\r\n"],
        ["334 QmVudXR6ZXI=\r\n", "334 UElO\r\n"],
        ["334 \r\n", "334\r\n"],
        ["334 Username:\r\n", "334 Password:\r\n"],
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut settings = settings(listener.local_addr().unwrap().port(), Security::Plain);
        let auth = SmtpAuth::Password("correct horse".into());
        settings.credentials = Some(SmtpCredentials { username: "bookly".to_owned(), auth });
        settings.host = "127.0.0.1".to_owned();
        let server = tokio::spawn(async move {
            let (tcp, _) = listener.accept().await.unwrap();
            let (reader, mut writer) = tcp.into_split();
            let mut lines = BufReader::new(reader).lines();
            writer.write_all(b"220 mx\r\n").await.unwrap();
            let mut read = Vec::new();
            for reply in
                ["250-mx\r\n250 AUTH LOGIN\r\n", prompts[0], prompts[1], "235 welcome\r\n", "250 here\r\n"]
            {
                read.push(lines.next_line().await.unwrap().unwrap());
                writer.write_all(reply.as_bytes()).await.unwrap();
            }
            read
        });
        SmtpPool::new(settings, SmtpOptions::default()).unwrap().probe().await.unwrap();
        assert_eq!(server.await.unwrap()[1..], ["AUTH LOGIN", USER, PASSWORD, "NOOP"], "{prompts:?}");
    }
}

#[tokio::test]
async fn auth_login_is_used_if_auth_plain_is_offered_and_refused() {
    let reply: Reply = |line| match line {
        _ if line.starts_with("EHLO") => Some(b"250-mx\r\n250 AUTH PLAIN LOGIN\r\n"),
        _ if line.starts_with("AUTH PLAIN") => Some(b"504 5.5.4 unrecognized authentication type\r\n"),
        "AUTH LOGIN" => Some(b"334 VXNlcm5hbWU6\r\n"),
        USER => Some(b"334 UGFzc3dvcmQ6\r\n"),
        PASSWORD => Some(b"235 welcome\r\n"),
        _ => None,
    };
    let read = Script { greeting: b"220 mx\r\n", reply }.send_with_login().await;
    assert!(read[1].starts_with("AUTH PLAIN ") && read[2] == "AUTH LOGIN", "{read:?}");
}

#[tokio::test]
async fn auth_plain_is_answered_again_if_the_server_ignores_the_initial_response() {
    let reply: Reply = |line| match line {
        _ if line.starts_with("EHLO") => Some(b"250-mx\r\n250 AUTH PLAIN\r\n"),
        _ if line.starts_with("AUTH PLAIN") => Some(b"334 \r\n"),
        "AGJvb2tseQBjb3JyZWN0IGhvcnNl" => Some(b"235 welcome\r\n"),
        _ => None,
    };
    Script { greeting: b"220 mx\r\n", reply }.send_with_login().await;
}

#[tokio::test]
async fn helo_is_used_if_ehlo_is_refused() {
    for refusal in [b"502 5.5.1 not implemented\r\n".as_slice(), b"500 what?\r\n"] {
        let reply: Reply = if refusal.starts_with(b"502") {
            |line| line.starts_with("EHLO").then_some(b"502 5.5.1 not implemented\r\n")
        } else {
            |line| line.starts_with("EHLO").then_some(b"500 what?\r\n")
        };
        let read = Script { greeting: b"220 mx\r\n", reply }.send().await;
        assert!(read[0].starts_with("EHLO ") && read[1].starts_with("HELO "), "{read:?}");
    }
}

#[tokio::test]
async fn login_mechanisms_may_be_offered_with_an_equals_sign() {
    let reply: Reply = |line| match line {
        _ if line.starts_with("EHLO") => Some(b"250-mx\r\n250-AUTH=LOGIN\r\n250 HELP\r\n"),
        "AUTH LOGIN" => Some(b"334 VXNlcm5hbWU6\r\n"),
        USER => Some(b"334 UGFzc3dvcmQ6\r\n"),
        PASSWORD => Some(b"235 welcome\r\n"),
        _ => None,
    };
    let read = Script { greeting: b"220 mx\r\n", reply }.send_with_login().await;
    assert_eq!(read[1], "AUTH LOGIN");
}

#[tokio::test]
async fn a_reply_may_end_in_a_bare_line_feed() {
    for greeting in [b"220 mx\n".as_slice(), b"220 mx\r\n\n", b"220 mx\r\n\r\n", b"220-mx\n220 ready\n"] {
        Script { greeting, reply: |_| None }.send().await;
    }
    let reply: Reply = |line| match line {
        _ if line.starts_with("EHLO") => Some(b"250-mx\n250 8BITMIME\n"),
        "DATA" => Some(b"354 go\n"),
        _ => Some(b"250 ok\n"),
    };
    Script { greeting: b"220 mx\n", reply }.send().await;
}
