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

#[tokio::test(start_paused = true)]
async fn at_least_95_percent_of_the_declared_rate_is_used_and_never_more() {
    for (per_second, burst) in [(10.0, 1), (10.0, 20), (40.0, 2), (0.5, 1)] {
        let limiter = Arc::new(limiter(per_second, burst, None));
        let start = Instant::now();
        let window = Duration::from_secs(60);
        let sent = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let work: Vec<_> = (0..8)
            .map(|_| {
                let (limiter, sent) = (limiter.clone(), sent.clone());
                tokio::spawn(async move {
                    while limiter.turn("/x", start + window).await.is_ok() {
                        sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for work in work {
            work.await.unwrap();
        }
        let sent = sent.load(std::sync::atomic::Ordering::Relaxed) as f64;
        let most = per_second * window.as_secs_f64() + f64::from(burst);
        assert!(sent <= most, "{per_second}/s: {sent} of at most {most}");
        assert!(
            sent >= per_second * window.as_secs_f64() * 0.95,
            "{per_second}/s: only {sent}"
        );
    }
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
    assert_eq!(denied, Denied::Wait(Duration::from_secs(10)));
    assert_eq!(start.elapsed(), Duration::ZERO, "nobody waited");
    limiter
        .turn("/x", start + Duration::from_secs(10))
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
        assert_eq!(limiter.turn(path, far()).await, Ok(cost), "{path}");
    }
    // `**` also stands for nothing, and midnight is an hour away.
    let near = Instant::now() + Duration::from_secs(60);
    assert_eq!(
        limiter.turn("/v1/search", near).await,
        Err(Denied::Wait(Duration::from_secs(3600)))
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
    assert_eq!(
        limiter.observe(429, &headers, &wall()),
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
        };
        assert!(
            Limiter::new(Some(&rate), &[], Arc::default(), &wall()).is_none(),
            "{rate:?}"
        );
    }
}
