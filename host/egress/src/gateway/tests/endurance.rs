//! Servers that are slow, silent, endless or gone: each is stopped in its time, and whoever waits can be told why.

use super::*;

/// A server that answers every connection with `head`, and then with `chunk` again and again.
async fn drip(
    head: &'static [u8],
    chunk: &'static [u8],
    every: Duration,
) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await;
                let mut written = stream.write_all(head).await;
                while written.is_ok() {
                    if every.is_zero() {
                        tokio::task::yield_now().await;
                    } else {
                        tokio::time::sleep(every).await;
                    }
                    written = stream.write_all(chunk).await;
                }
            });
        }
    });
    (origin, count)
}

fn impatient(origin: &Url) -> Bench {
    let mut bench = bench(origin);
    bench.options.caps = Caps {
        idle_timeout: Duration::from_millis(80),
        answer_timeout: Duration::from_millis(300),
        retries_max: 1,
        outage_retries_max: 3,
        ..bench.options.caps
    };
    bench
}

#[tokio::test]
async fn headers_without_end_stop_at_their_cap() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n";
    for line in [
        b"x-a: 0123456789012345678901234567890123456789\r\n".as_slice(),
        &[b'x'; 1024],
    ] {
        let (origin, count) = drip(HEAD, line, Duration::ZERO).await;
        let error = ask(&bench(&origin), get("/v1")).await.unwrap_err();
        assert!(
            matches!(error, EgressError::TooLarge { limit_bytes, .. } if limit_bytes == crate::wire::HEAD_MAX_BYTES),
            "{error}"
        );
        assert_eq!(count.load(Ordering::SeqCst), 1, "it is not asked for again");
    }
}

#[tokio::test]
async fn a_body_without_end_stops_at_its_cap() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let (origin, _) = drip(HEAD, b"4\r\nabcd\r\n", Duration::ZERO).await;
    let mut bench = bench(&origin);
    bench.options.caps.response_max_bytes = 64 << 10;
    let error = ask(&bench, get("/v1")).await.unwrap_err();
    assert!(matches!(error, EgressError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn an_answer_that_drips_is_cut_and_one_that_stops_is_asked_for_again() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    let (origin, count) = drip(HEAD, b".", Duration::from_millis(20)).await;
    let error = ask(&impatient(&origin), get("/v1")).await.unwrap_err();
    assert!(
        matches!(&error, EgressError::Transient { attempts: 2, cause, .. } if cause.contains("no whole answer")),
        "{error}"
    );
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let (origin, count) = drip(HEAD, b".", Duration::from_secs(60)).await;
    let error = ask(&impatient(&origin), get("/v1")).await.unwrap_err();
    assert!(
        matches!(error, EgressError::Transient { attempts: 2, .. }),
        "{error}"
    );
    let error = ask(&impatient(&origin), post("/v1", false))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Uncertain { .. }), "{error}");
    assert_eq!(count.load(Ordering::SeqCst), 3, "the write went once");
}

#[tokio::test]
async fn an_outage_is_tried_longer_than_an_address_that_never_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let gateway = Gateway::new(impatient(&origin).options.clone()).unwrap();
    let answer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .await;
    });
    gateway.send(get("/v1"), soon()).await.unwrap();
    answer.await.unwrap();
    let error = gateway.send(get("/v1"), soon()).await.unwrap_err();
    assert!(
        matches!(error, EgressError::Transient { attempts: 4, .. }),
        "{error}"
    );
    let fresh = Gateway::new(impatient(&origin).options.clone()).unwrap();
    let error = fresh.send(get("/v1"), soon()).await.unwrap_err();
    assert!(
        matches!(error, EgressError::Transient { attempts: 2, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_waited_for_can_be_seen_while_it_lasts_and_holds_no_secret() {
    let server = Server::start(|number, seen| match number {
        0 => reply(
            429,
            &[("retry-after", "1")],
            seen.header("x-api-token").to_owned(),
        ),
        _ => reply(200, &[], "now"),
    })
    .await;
    let gateway = Gateway::new(bench(&server.origin).options.clone()).unwrap();
    assert_eq!(gateway.waiting(), None);
    let asking = {
        let gateway = gateway.clone();
        tokio::spawn(async move { gateway.send(get(&format!("/v1/{TOKEN}")), soon()).await })
    };
    let waiting = loop {
        tokio::task::yield_now().await;
        if let Some(waiting) = gateway.waiting().filter(|waiting| waiting.why.is_some()) {
            break waiting;
        }
    };
    assert_eq!(waiting.why.as_deref(), Some("the server answered 429"));
    assert_eq!(waiting.place.unwrap().path, "/v1/[redacted]");
    assert!(waiting.until.is_some_and(|until| until > Instant::now()));
    asking.await.unwrap().unwrap();
    assert_eq!(gateway.waiting(), None, "it is over");
}
