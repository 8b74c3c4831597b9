//! Receivers that do what they should not.

use super::*;

async fn called(receiver: &Receiver, limits: Limits) -> Result<Answer, Failure> {
    post(&client("127.0.0.0/8, http", &[receiver.address], limits), &receiver.url()).await
}

/// Writes `head`, and then `part` for ever, with or without a pause.
async fn writing(head: &'static str, part: &'static str, pause: Option<Duration>) -> Receiver {
    Receiver::new(move |mut stream| async move {
        request(&mut stream).await?;
        stream.write_all(head.as_bytes()).await?;
        loop {
            stream.write_all(part.as_bytes()).await?;
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_request_is_sent_as_it_is_given() {
    let (seen, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let receiver = Receiver::new(move |mut stream| {
        let seen = seen.clone();
        async move {
            seen.send(request(&mut stream).await?).unwrap();
            let answer = "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 4\r\n\r\nbusy";
            stream.write_all(answer.as_bytes()).await
        }
    })
    .await;
    let client = client("127.0.0.0/8, http", &[receiver.address], LONG);
    let to = client.check(&format!("{}?a=b%20c", receiver.url())).unwrap();
    let headers = HeaderMap::from_iter([
        ("content-type".parse().unwrap(), "application/json".parse().unwrap()),
        ("host".parse().unwrap(), "elsewhere.example".parse().unwrap()),
        ("webhook-id".parse().unwrap(), "1".parse().unwrap()),
    ]);
    let answer = client.post(&to, headers, Bytes::from_static(b"{}")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.retry_after.unwrap().as_bytes()), (503, &b"120"[..]));
    let seen = requests.recv().await.unwrap();
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.split("\r\n").collect();
    assert_eq!(lines.remove(0), "POST /hook?a=b%20c HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: receiver.example:{}", receiver.address.port());
    assert_eq!(
        lines,
        ["connection: close", "content-length: 2", "content-type: application/json", &*host, "webhook-id: 1"]
    );
    assert_eq!(body, "{}");
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let elsewhere = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let location = format!("http://{}/", elsewhere.address);
    for status in [301, 302, 303, 307, 308] {
        let answer = format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let receiver = Receiver::answering(answer.leak()).await;
        assert_eq!(called(&receiver, LONG).await.unwrap().status, status);
        assert_eq!(receiver.connections(), 1);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn every_status_is_an_answer() {
    for status in [101, 200, 202, 204, 304, 400, 401, 404, 407, 410, 429, 500, 599, 999] {
        let answer = format!("HTTP/1.1 {status} X\r\n\r\n");
        let receiver = Receiver::answering(answer.leak()).await;
        assert_eq!(called(&receiver, LONG).await.unwrap().status, status);
    }
}

#[tokio::test]
async fn who_is_silent_has_a_time_limit() {
    let accepting = Receiver::new(|mut stream| async move {
        request(&mut stream).await?;
        std::future::pending().await
    })
    .await;
    assert_eq!(called(&accepting, SHORT).await.unwrap_err(), Failure::Timeout);
    // The kernel takes the connection, and nobody reads from it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = client("127.0.0.0/8, http", &[address], SHORT);
    let to = client.check(&format!("http://receiver.example:{}/", address.port())).unwrap();
    let body = Bytes::from(vec![0; 16 * 1024 * 1024]);
    assert_eq!(client.post(&to, HeaderMap::new(), body).await.unwrap_err(), Failure::Timeout);
}

#[tokio::test]
async fn a_head_that_drips_has_a_time_limit() {
    let pause = Some(Duration::from_millis(10));
    for (head, part) in [
        ("", "\r\n"),
        ("HTTP/1.1 200 OK\r\n", "A: b\r\n"),
        ("HTTP/1.1 200 OK\r\nA: ", "b"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let answer = called(&writing(head, part, pause).await, SHORT).await;
        assert_eq!(answer.unwrap_err(), Failure::Timeout, "{head:?} {part:?}");
    }
    // As fast as it can.
    let receiver = writing("", "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", None).await;
    assert_eq!(called(&receiver, SHORT).await.unwrap_err(), Failure::Timeout);
}

#[tokio::test]
async fn a_head_has_a_size_limit() {
    for (head, part) in [
        ("HTTP/1.1 200 OK\r\n", "A: b\r\n"),
        ("HTTP/1.1 200 OK\r\nA: ", "bbbbbbbbbbbbbbbb"),
        ("HTTP/1.1 200 ", "OKOKOKOK"),
    ] {
        let receiver = writing(head, part, None).await;
        let answer = called(&receiver, LONG).await;
        assert_eq!(answer.unwrap_err(), Failure::MalformedResponse, "{head:?} {part:?}");
    }
    let of = |bytes| format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "b".repeat(bytes));
    let taken = Receiver::answering(of(15 * 1024).leak()).await;
    assert_eq!(called(&taken, LONG).await.unwrap().status, 200);
    let refused = Receiver::answering(of(17 * 1024).leak()).await;
    assert_eq!(called(&refused, LONG).await.unwrap_err(), Failure::MalformedResponse);
}

/// The status is known; of the body little is read.
#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        // As a chunk: its length, and 16 bytes.
        let receiver = writing(head, "10\r\n0123456789abcdef\r\n", None).await;
        assert_eq!(called(&receiver, LONG).await.unwrap().status, 200, "{head:?}");
        // Everything but the body takes less.
        let limits = Limits { step: Duration::from_secs(2), ..LONG };
        let pause = Some(Duration::from_millis(10));
        let receiver = writing(head, "10\r\n0123456789abcdef\r\n", pause).await;
        assert_eq!(called(&receiver, limits).await.unwrap().status, 200, "{head:?}");
    }
    let broken = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense";
    assert_eq!(called(&Receiver::answering(broken).await, LONG).await.unwrap().status, 200);
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";
    assert_eq!(called(&Receiver::answering(cut).await, LONG).await.unwrap().status, 200);
}

/// More than what the kernel keeps on the way.
#[tokio::test]
async fn a_long_body_is_cut_off() {
    let (seen, mut written) = tokio::sync::mpsc::unbounded_channel();
    let receiver = Receiver::new(move |mut stream| {
        let seen = seen.clone();
        async move {
            request(&mut stream).await?;
            let body = vec![b'x'; 64 * 1024 * 1024];
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).await?;
            seen.send(stream.write_all(&body).await.is_ok()).unwrap();
            Ok(())
        }
    })
    .await;
    assert_eq!(called(&receiver, LONG).await.unwrap().status, 200);
    assert_eq!(written.recv().await, Some(false));
}

/// Whoever still writes a short answer finds the client there.
#[tokio::test]
async fn a_short_body_is_waited_for() {
    let (seen, mut found) = tokio::sync::mpsc::unbounded_channel();
    let receiver = Receiver::new(move |mut stream| {
        let seen = seen.clone();
        async move {
            request(&mut stream).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbu").await?;
            let closed = tokio::time::timeout(SHORT.step, stream.read(&mut [0; 1])).await;
            seen.send(closed.is_err()).unwrap();
            stream.write_all(b"sy").await
        }
    })
    .await;
    assert_eq!(called(&receiver, LONG).await.unwrap().status, 200);
    assert_eq!(found.recv().await, Some(true));
}

#[tokio::test]
async fn who_hangs_up_has_not_answered() {
    for answer in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nA: b\r\n"] {
        let receiver = Receiver::answering(answer).await;
        assert_eq!(called(&receiver, LONG).await.unwrap_err(), Failure::ConnectionClosed, "{answer:?}");
    }
    // With a reset.
    let receiver = Receiver::new(|stream| async move { stream.set_zero_linger() }).await;
    assert_eq!(called(&receiver, LONG).await.unwrap_err(), Failure::ConnectionClosed);
}

#[tokio::test]
async fn what_is_not_http_is_malformed() {
    for answer in [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "220 mail.example ESMTP\r\n",
        "<html></html>\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "\u{0}\u{1}\u{2}\u{3}\r\n\r\n",
    ] {
        let receiver = Receiver::answering(answer).await;
        assert_eq!(called(&receiver, LONG).await.unwrap_err(), Failure::MalformedResponse, "{answer:?}");
    }
}

/// A job that is cancelled leaves nothing behind.
#[tokio::test]
async fn who_gives_up_a_call_closes_its_connection() {
    let (seen, mut closed) = tokio::sync::mpsc::unbounded_channel();
    let (asked, mut was_asked) = tokio::sync::mpsc::unbounded_channel();
    let receiver = Receiver::new(move |mut stream| {
        let (seen, asked) = (seen.clone(), asked.clone());
        async move {
            request(&mut stream).await?;
            asked.send(()).unwrap();
            seen.send(stream.read(&mut [0; 1]).await?).unwrap();
            Ok(())
        }
    })
    .await;
    tokio::select! {
        answer = called(&receiver, LONG) => unreachable!("{answer:?}"),
        _ = was_asked.recv() => {}
    }
    assert_eq!(closed.recv().await, Some(0));
}
