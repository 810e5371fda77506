//! Rates are kept and used, budgets are kept, servers are heard. Time is Tokio's, paused.

use reqwest::header::HeaderValue;

use super::*;

fn wall() -> WallClock {
    let start = Instant::now();
    // 2026-01-05T23:00:00Z, and on from there with Tokio's clock.
    let base = "2026-01-05T23:00:00Z"
        .parse::<model::Instant>()
        .unwrap()
        .unix_us();
    Arc::new(move || {
        model::Instant::from_unix_us(base + i64::try_from(start.elapsed().as_micros()).unwrap())
            .unwrap()
    })
}

fn limiter(per_second: f64, burst: u32, daily_budget: Option<u64>) -> Limiter {
    let rate = RateLimit {
        per_second,
        burst,
        concurrency: 4,
        daily_budget,
        window_s: None,
        daily_share_percent: None,
    };
    let costs = [
        PathCost {
            path: "/v1/search/**".to_owned(),
            cost: 40,
        },
        PathCost {
            path: "/v1/deals/*".to_owned(),
            cost: 2,
        },
        PathCost {
            path: "/v1/deals".to_owned(),
            cost: 20,
        },
    ];
    Limiter::new(Some(&rate), &costs, Arc::default(), &wall()).unwrap()
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(365 * 86_400)
}

/// Moments of all requests of one minute, when `workers` ask without rest and each answer takes that long.
async fn sent_in_a_minute(limiter: Limiter, workers: usize, answer: Duration) -> Vec<Duration> {
    let (limiter, start) = (Arc::new(limiter), Instant::now());
    let end = start + MINUTE;
    let sent = Arc::new(Mutex::new(Vec::new()));
    let work: Vec<_> = (0..workers)
        .map(|_| {
            let (limiter, sent) = (limiter.clone(), sent.clone());
            tokio::spawn(async move {
                while let Ok(_slot) = limiter.slot(end).await {
                    if limiter.turn("/x", end).await.is_err() || Instant::now() > end {
                        return;
                    }
                    sent.lock().unwrap().push(start.elapsed());
                    tokio::time::sleep(answer).await;
                }
            })
        })
        .collect();
    for work in work {
        work.await.unwrap();
    }
    let mut sent = std::mem::take(&mut *sent.lock().unwrap());
    sent.sort_unstable();
    sent
}

const MINUTE: Duration = Duration::from_secs(60);

/// Whatever stretch of time is looked at, no more goes out in it than the rate and one burst.
#[track_caller]
fn check_never_more(sent: &[Duration], per_second: f64, burst: u32) {
    for (first, begun) in sent.iter().enumerate() {
        for (last, ended) in sent.iter().enumerate().skip(first) {
            let most = (*ended - *begun).as_secs_f64() * per_second + f64::from(burst);
            let requests = (last - first + 1) as f64;
            // Two times are compared that were rounded to microseconds by nobody, but to binary fractions here.
            assert!(
                requests <= most + 1e-6,
                "{requests} requests from {begun:?} to {ended:?}, {most} at most"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn at_least_95_percent_of_the_declared_rate_is_used_and_never_more() {
    for (per_second, burst) in [
        (0.5, 1),
        (3.0, 1),
        (10.0, 1),
        (10.0, 20),
        (19.0, 10),
        (40.0, 2),
        (100.0, 10),
    ] {
        let limiter = limiter(per_second, burst, None);
        let sent = sent_in_a_minute(limiter, 8, Duration::from_millis(5)).await;
        check_never_more(&sent, per_second, burst);
        let least = per_second * MINUTE.as_secs_f64() * 0.95;
        assert!(
            sent.len() as f64 >= least,
            "{per_second}/s: only {} of {least}",
            sent.len()
        );
    }
}

/// Four at once and answers of 0.3 s carry 13 requests a second: the rate of 10 is what holds, and slow answers do not waste it.
#[tokio::test(start_paused = true)]
async fn slow_answers_do_not_waste_the_rate_while_enough_are_at_work() {
    let sent = sent_in_a_minute(limiter(10.0, 1, None), 8, Duration::from_millis(300)).await;
    check_never_more(&sent, 10.0, 1);
    assert!(sent.len() >= 570, "{}", sent.len());
}

#[tokio::test(start_paused = true)]
async fn after_a_wait_that_a_server_asked_for_the_rate_is_used_again_without_catching_up() {
    let limiter = limiter(10.0, 5, None);
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("20"));
    let first = limiter.turn("/x", far()).await.unwrap();
    limiter.observe(&first, 429, &headers, b"", &wall());
    drop(first);
    let sent = sent_in_a_minute(limiter, 8, Duration::from_millis(5)).await;
    assert!(sent[0] >= Duration::from_secs(20));
    check_never_more(&sent, 10.0, 5);
    assert!(sent.len() as f64 >= 10.0 * 40.0 * 0.95, "{}", sent.len());
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_deadline_is_told_instead_of_waited() {
    let limiter = limiter(0.1, 1, None);
    let start = Instant::now();
    limiter.turn("/x", start).await.unwrap();
    let denied = limiter
        .turn("/x", start + Duration::from_secs(3))
        .await
        .unwrap_err();
    // A nanosecond more, because periods are rounded up.
    let wait = Duration::from_secs(10) + Duration::from_nanos(1);
    assert_eq!(denied, Denied::Wait(wait));
    assert_eq!(start.elapsed(), Duration::ZERO, "nobody waited");
    limiter
        .turn("/x", start + Duration::from_secs(11))
        .await
        .unwrap();
    assert!(start.elapsed() >= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn the_daily_budget_counts_costs_and_ends_at_midnight() {
    let limiter = limiter(1000.0, 1000, Some(100));
    for (path, cost) in [
        ("/v1/search/a/b", 40),
        ("/v1/deals/7", 2),
        ("/v1/deals", 20),
        ("/v1/deals/7/products", 1),
    ] {
        let before = limiter.spent_today();
        limiter.turn(path, far()).await.unwrap();
        assert_eq!(limiter.spent_today() - before, cost, "{path}");
    }
    // `**` also stands for nothing, and midnight is an hour away.
    let near = Instant::now() + Duration::from_secs(60);
    assert_eq!(
        limiter.turn("/v1/search", near).await.unwrap_err(),
        Denied::Wait(Duration::from_secs(3600))
    );
    assert_eq!(limiter.spent_today(), 63);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(limiter.spent_today(), 0);
    limiter.turn("/v1/search/a", far()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_at_once_than_declared() {
    let limiter = limiter(1000.0, 1000, None);
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(limiter.slot(far()).await.unwrap());
    }
    assert_eq!(
        limiter
            .slot(Instant::now() + Duration::from_secs(1))
            .await
            .err(),
        Some(Denied::Busy)
    );
    held.pop();
    limiter
        .slot(Instant::now() + Duration::from_secs(1))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn servers_are_heard_by_all_endpoints_of_their_host() {
    let limiter = limiter(1000.0, 1000, None);
    let neighbour = Limiter::new(None, &[], limiter.pause.clone(), &wall()).unwrap();
    let start = Instant::now();
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("7"));
    let turn = limiter.turn("/x", far()).await.unwrap();
    assert_eq!(
        limiter.observe(&turn, 429, &headers, b"", &wall()),
        Some(Duration::from_secs(7))
    );
    neighbour.turn("/x", far()).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
#[expect(clippy::too_many_lines, reason = "one table, row by row")]
async fn waits_are_read_in_every_vendors_way() {
    let wall = wall();
    let now = (wall)().unix_us() / 1_000_000;
    let epoch = (now + 30).to_string();
    let epoch_ms = ((now + 30) * 1000).to_string();
    type Row<'a> = (u16, &'a [(&'static str, &'a str)], Option<u64>);
    let rows: &[Row<'_>] = &[
        (429, &[("retry-after", "5")], Some(5)),
        (503, &[("retry-after", "5")], Some(5)),
        (200, &[("retry-after", "5")], None),
        (
            429,
            &[("retry-after", "Mon, 05 Jan 2026 23:00:09 GMT")],
            Some(9),
        ),
        (
            429,
            &[("retry-after", "Mon, 05 Jan 2026 22:00:00 GMT")],
            Some(0),
        ),
        (429, &[("retry-after", "soon")], None),
        (429, &[("retry-after", "-1")], None),
        (429, &[("retry-after", "1e400")], None),
        (429, &[("x-ratelimit-reset", "2")], Some(2)),
        (
            200,
            &[("x-ratelimit-reset", "2"), ("x-ratelimit-remaining", "3")],
            None,
        ),
        (
            200,
            &[("x-ratelimit-reset", "2"), ("x-ratelimit-remaining", "0")],
            Some(2),
        ),
        (
            200,
            &[
                ("x-ratelimit-reset", &epoch),
                ("x-ratelimit-remaining", "0"),
            ],
            Some(30),
        ),
        (
            200,
            &[
                ("x-ratelimit-reset", &epoch_ms),
                ("x-ratelimit-remaining", "0"),
            ],
            Some(30),
        ),
        (
            200,
            &[("ratelimit-reset", "4"), ("ratelimit-remaining", "0")],
            Some(4),
        ),
        (
            200,
            &[
                ("x-hubspot-ratelimit-remaining", "0"),
                ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
            ],
            Some(10),
        ),
        (200, &[("x-ratelimit-remaining", "0")], None),
        (429, &[("x-keap-product-throttle-available", "0")], Some(60)),
        (429, &[("x-keap-product-quota-available", "0")], Some(3600)),
        (200, &[("x-keap-product-throttle-available", "0")], None),
        (429, &[("x-keap-product-throttle-available", "3")], None),
        (429, &[], None),
    ];
    for (status, pairs, expected) in rows {
        let mut headers = HeaderMap::new();
        for (name, value) in *pairs {
            headers.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(
            asked_wait(*status, &headers, &wall).map(|wait| wait.as_secs()),
            *expected,
            "{status} {pairs:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn rates_without_sense_are_refused() {
    for (per_second, burst, concurrency) in [
        (0.0, 1, 1),
        (-1.0, 1, 1),
        (f64::NAN, 1, 1),
        (f64::INFINITY, 1, 1),
        (1.0, 0, 1),
        (1.0, 1, 0),
    ] {
        let rate = RateLimit {
            per_second,
            burst,
            concurrency,
            daily_budget: None,
            window_s: None,
            daily_share_percent: None,
        };
        assert!(
            Limiter::new(Some(&rate), &[], Arc::default(), &wall()).is_none(),
            "{rate:?}"
        );
    }
}

fn windowed(most: u32, share: Option<u8>) -> Limiter {
    let rate = RateLimit {
        per_second: f64::from(most) / 10.0,
        burst: most,
        concurrency: 40,
        daily_budget: None,
        window_s: Some(10),
        daily_share_percent: share,
    };
    Limiter::new(Some(&rate), &[], Arc::default(), &wall()).unwrap()
}

fn told(pairs: &[(&'static str, u64)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| {
        let name = reqwest::header::HeaderName::from_static(name);
        (name, HeaderValue::from(*value))
    });
    pairs.collect()
}

const WINDOW: Duration = Duration::from_secs(10);

/// The server counts a request at some moment between its going out and its answer; whichever that is, no window holds too many, and
/// 95 of 100 are used. Answers that take longer use less, because their places are held longer.
#[tokio::test(start_paused = true)]
async fn a_rolling_window_is_used_and_never_overrun_whenever_the_server_counts() {
    for answer_ms in [5, 200, 450] {
        let answer = Duration::from_millis(answer_ms);
        let sent = sent_in_a_minute(windowed(190, None), 60, answer).await;
        for delays in [[0, 0], [0, 1], [1, 0], [1, 1]] {
            let mut counted: Vec<_> = (0_u32..)
                .zip(&sent)
                .map(|(number, sent)| *sent + answer * delays[(number % 2) as usize])
                .collect();
            counted.sort_unstable();
            for (first, begun) in counted.iter().enumerate() {
                let within = counted[first..]
                    .iter()
                    .take_while(|at| **at < *begun + WINDOW);
                let count = within.count();
                assert!(
                    count <= 190,
                    "{count} from {begun:?} on, answers in {answer:?}"
                );
            }
        }
        let bound = 190.0 * 6.0;
        assert!(
            sent.len() as f64 >= bound * 0.95,
            "{} of {bound}, {answer:?}",
            sent.len()
        );
    }
}

/// Long work at the server does not hold places that the way there does not need: one answer in ten is fast, the others take half a second,
/// and the server counts each as it comes in.
#[tokio::test(start_paused = true)]
async fn answers_that_are_long_in_the_making_waste_no_places() {
    let (limiter, start) = (Arc::new(windowed(190, None)), Instant::now());
    let end = start + MINUTE;
    let counted = Arc::new(Mutex::new(Vec::new()));
    let work: Vec<_> = (0_u64..60)
        .map(|worker| {
            let (limiter, counted) = (limiter.clone(), counted.clone());
            tokio::spawn(async move {
                for round in 0_u64.. {
                    let Ok(turn) = limiter.turn("/x", end).await else {
                        return;
                    };
                    tokio::time::sleep(Duration::from_millis(40)).await;
                    counted.lock().unwrap().push(start.elapsed());
                    let making = if (worker + round) % 10 == 0 { 40 } else { 500 };
                    tokio::time::sleep(Duration::from_millis(making)).await;
                    drop(turn);
                }
            })
        })
        .collect();
    for work in work {
        work.await.unwrap();
    }
    let mut counted = std::mem::take(&mut *counted.lock().unwrap());
    counted.sort_unstable();
    for (first, begun) in counted.iter().enumerate() {
        let within = counted[first..]
            .iter()
            .take_while(|at| **at < *begun + WINDOW);
        assert!(within.count() <= 190, "from {begun:?} on");
    }
    assert!(
        counted.len() as f64 >= 190.0 * 6.0 * 0.97,
        "{}",
        counted.len()
    );
}

#[tokio::test(start_paused = true)]
async fn a_window_grows_shrinks_and_leaves_room_for_others_as_the_server_says() {
    let limiter = windowed(100, None);
    let spent = |limiter: &Limiter| {
        limiter
            .spent()
            .map(|spent| (spent.used, spent.most))
            .unwrap()
    };
    let interval = ("x-hubspot-ratelimit-interval-milliseconds", 10_000);
    let turn = limiter.turn("/x", far()).await.unwrap();
    let headers = told(&[
        ("x-hubspot-ratelimit-max", 190),
        ("x-hubspot-ratelimit-remaining", 189),
        interval,
    ]);
    limiter.observe(&turn, 200, &headers, b"", &wall());
    assert_eq!(spent(&limiter), (1, 190));
    drop(turn);
    let turn = limiter.turn("/x", far()).await.unwrap();
    let headers = told(&[
        ("x-hubspot-ratelimit-max", 100),
        ("x-hubspot-ratelimit-remaining", 60),
        interval,
    ]);
    limiter.observe(&turn, 200, &headers, b"", &wall());
    assert_eq!(
        spent(&limiter),
        (40, 100),
        "two of ours, 38 of somebody else's"
    );
    // An answer that speaks of another window, as a search's, changes nothing.
    let other = told(&[
        ("x-hubspot-ratelimit-max", 5),
        ("x-hubspot-ratelimit-interval-milliseconds", 1000),
    ]);
    limiter.observe(&turn, 200, &other, b"", &wall());
    drop(turn);
    assert_eq!(spent(&limiter), (40, 100));
    tokio::time::advance(WINDOW).await;
    assert_eq!(spent(&limiter), (0, 100));
}

#[tokio::test(start_paused = true)]
async fn a_full_window_waits_for_an_answer_when_all_are_out() {
    let limiter = Arc::new(windowed(2, None));
    let start = Instant::now();
    let held = [
        limiter.turn("/x", far()).await.unwrap(),
        limiter.turn("/x", far()).await.unwrap(),
    ];
    let third = {
        let limiter = limiter.clone();
        tokio::spawn(async move {
            limiter
                .turn("/x", far())
                .await
                .map(|_| Instant::now())
                .unwrap()
        })
    };
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(!third.is_finished(), "both places are held");
    drop(held);
    assert_eq!((third.await.unwrap() - start).as_secs(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_time_waits_for_what_it_names() {
    let limiter = windowed(190, None);
    let turn = limiter.turn("/x", far()).await.unwrap();
    let rolling = br#"{"status":"error","policyName":"TEN_SECONDLY_ROLLING"}"#;
    let daily = br#"{"status":"error","policyName":"DAILY"}"#;
    let told_empty = told(&[("x-hubspot-ratelimit-daily-remaining", 0)]);
    let asked = |headers: &HeaderMap, body: &[u8]| {
        limiter
            .observe(&turn, 429, headers, body, &wall())
            .map(|wait| wait.as_secs())
    };
    assert_eq!(asked(&HeaderMap::new(), rolling), Some(10));
    assert_eq!(asked(&HeaderMap::new(), b"<html>"), Some(10));
    assert_eq!(asked(&told(&[("retry-after", 3)]), rolling), Some(3));
    assert_eq!(asked(&HeaderMap::new(), daily), Some(3600));
    assert_eq!(asked(&told_empty, rolling), Some(3600));
    assert_eq!(limiter.observe(&turn, 200, &told_empty, b"", &wall()), None);
}

#[tokio::test(start_paused = true)]
async fn a_share_of_the_day_is_not_overdrawn_and_comes_back_at_midnight() {
    let limiter = windowed(190, Some(40));
    let turn = limiter.turn("/x", far()).await.unwrap();
    let say = |left| {
        let headers = told(&[
            ("x-hubspot-ratelimit-daily", 1000),
            ("x-hubspot-ratelimit-daily-remaining", left),
        ]);
        limiter.observe(&turn, 200, &headers, b"", &wall());
    };
    say(601);
    limiter.turn("/x", far()).await.unwrap();
    say(600);
    assert_eq!(
        limiter.turn("/x", far()).await.unwrap_err(),
        Denied::Wait(Duration::from_secs(3600))
    );
    assert_eq!(
        limiter.spent().and_then(|spent| spent.day),
        Some((600, 1000))
    );
    tokio::time::advance(Duration::from_secs(3600)).await;
    limiter.turn("/x", far()).await.unwrap();
    assert_eq!(
        limiter.spent().and_then(|spent| spent.day),
        None,
        "another day"
    );
}
