use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;
use std::thread;

use pilothouse_api::dto::CheckView;
use pilothouse_telemetry::{Options, TraceKind, open_traces};

use super::super::board::ADDRESS_LINES;
use super::*;
use crate::discovery::{Candidate, Where};

/// A server on loopback that answers each path with JSON or, where there is none, with a page. It lasts as long as the test
/// process: nothing is kept in it.
fn server(answer: fn(&str) -> Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let n_read = stream.read(&mut head).unwrap();
            let head = String::from_utf8_lossy(&head[..n_read]).into_owned();
            let path = head.split([' ', '?']).nth(1).unwrap_or_default();
            let body = answer(path).unwrap_or("<html>sign in</html>");
            let length = body.len();
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            stream.write_all((answer + body).as_bytes()).unwrap();
        }
    });
    url
}

fn candidate(url: &str, kind: Option<TraceKind>) -> Asked {
    Asked {
        candidate: Candidate {
            place: Where::Address(url.to_owned()),
            rank: Rank::Label,
            found_by: "labelled".to_owned(),
            kind,
        },
        place: Ok(Place::Address(url.to_owned())),
        options: Options::default(),
    }
}

/// What is taken of these candidates for traces, and what was shown at last.
async fn look(asked: Vec<Asked>) -> (Option<Taken<TracesSurvey>>, CheckView) {
    let told = Mutex::new(None);
    let tell = |view: CheckView| *told.lock().unwrap() = Some(view);
    let board = Board::new("x", String::new(), ADDRESS_LINES, &tell);
    let taken = traces(&board, asked).await;
    drop(board);
    let shown = told.lock().unwrap().take().unwrap();
    (taken, shown)
}

#[tokio::test]
async fn what_answers_is_taken_and_remembered_with_its_kind_and_its_base_path() {
    let page = server(|_| None);
    let zipkin = server(|path| match path {
        "/zipkin/api/v2/services" => Some(r#"["a","b"]"#),
        _ => None,
    });
    let (taken, shown) = look(vec![candidate(&page, None), candidate(&zipkin, None)]).await;
    let taken = taken.unwrap();
    assert_eq!(taken.probe.kind, TraceKind::Zipkin);
    assert_eq!(
        taken.way.found_at,
        Where::Address(format!("{zipkin}/zipkin"))
    );
    let source = open_traces(Some(taken.probe.kind), taken.way.place, taken.way.options).unwrap();
    assert_eq!(source.services().await.unwrap(), ["a", "b"]);

    let line = shown.lines.iter().find(|line| line.id == "traces").unwrap();
    assert!(line.answer.starts_with("Zipkin at "), "{}", line.answer);
    let [page, zipkin_view] = line.candidates.as_slice() else {
        panic!("two candidates")
    };
    assert!(page.why.contains("nor as Tempo"), "{}", page.why);
    assert!(zipkin_view.chosen);
    assert_eq!(
        zipkin_view.id,
        format!("address {zipkin}/zipkin as zipkin"),
        "all that a choice has to remember"
    );
}

#[tokio::test]
async fn a_kind_that_was_chosen_is_the_only_one_that_is_asked_for() {
    let zipkin = server(|path| (path == "/api/v2/services").then_some("[]"));
    let (taken, shown) = look(vec![candidate(&zipkin, Some(TraceKind::Tempo))]).await;
    assert!(taken.is_none());
    let line = shown.lines.iter().find(|line| line.id == "traces").unwrap();
    let why = &line.candidates[0].why;
    assert!(why.starts_with("asking Tempo at "), "{why}");
}
