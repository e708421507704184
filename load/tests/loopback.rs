//! The shell over UDP on loopback, against a GGSN of a few lines.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod double;

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use double::Ggsn;
use double::epc::Epc;
use double::world::Gateway;
use gtp::v1::{BackOffTime, Cause, Imsi, MessageType, Nsapi, Writer};
use gtp::v2::{self, Ebi, EpcTimer, Paa};
use load::shell::{Client, ClientError, ClientOptions, SessionClient, SessionOptions};
use load::{HoldTime, Interface, Plan};

/// What a test tells its GGSN to do.
enum Order {
    /// Send this to whoever asked last.
    Send(Vec<u8>),
    /// Refuse with this cause from now on, and say to stay away for so long.
    Full(Cause, Duration),
    Stop,
}

struct Served<G> {
    address: SocketAddr,
    orders: Sender<Order>,
    thread: Option<JoinHandle<G>>,
}

/// A gateway that may fill up.
trait Fills: Gateway + Send + 'static {
    fn fill(&mut self, cause: Cause, time: Duration);
}

impl Fills for Ggsn {
    fn fill(&mut self, cause: Cause, time: Duration) {
        self.ceiling = 0;
        self.refusal = cause;
        self.back_off = Some(BackOffTime::at_least(time));
    }
}

impl Fills for Epc {
    fn fill(&mut self, _: Cause, _: Duration) {
        self.ceiling = 0;
    }
}

/// A gateway on its own thread and port, which ignores one request in `deaf_to` (0: none).
fn serve<G: Fills>(mut gateway: G, deaf_to: u32) -> Served<G> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(5)))
        .unwrap();
    let address = socket.local_addr().unwrap();
    let (orders, inbox) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        let mut heard = 0_u32;
        let mut last = None;
        loop {
            match inbox.try_recv() {
                Ok(Order::Send(octets)) => {
                    socket.send_to(&octets, last.unwrap()).unwrap();
                }
                Ok(Order::Full(cause, time)) => {
                    gateway.fill(cause, time);
                }
                Ok(Order::Stop) | Err(mpsc::TryRecvError::Disconnected) => return gateway,
                Err(mpsc::TryRecvError::Empty) => {}
            }
            let Ok((len, from)) = socket.recv_from(&mut buffer) else {
                continue;
            };
            last = Some(from);
            heard += 1;
            if deaf_to > 0 && heard.is_multiple_of(deaf_to) {
                continue;
            }
            if let Some(answer) = gateway.handle(from.port(), &buffer[..len]) {
                socket.send_to(&answer, from).unwrap();
            }
        }
    });
    Served {
        address,
        orders,
        thread: Some(thread),
    }
}

impl<G> Served<G> {
    fn stop(mut self) -> G {
        self.orders.send(Order::Stop).unwrap();
        self.thread.take().unwrap().join().unwrap()
    }

    /// One that asks again only if the machine stands still for long.
    fn client(&self) -> Client {
        self.client_of(Duration::from_secs(30), 5)
    }

    fn client_of(&self, t3_response: Duration, n3_requests: u8) -> Client {
        Client::open(ClientOptions {
            peer: self.address,
            local_port: 0,
            t3_response,
            n3_requests,
            ..ClientOptions::default()
        })
        .unwrap()
    }
}

fn imsi(number: u64) -> Imsi {
    Imsi::from_number(1_010_000_000_000 + number, 15).unwrap()
}

#[test]
fn a_run_over_udp_makes_its_calls_and_takes_them_down() {
    let served = serve(Ggsn::new(80), 0);
    let plan = Plan {
        peer: served.address,
        local_port: 0,
        calls_per_s: 400.0,
        hold: HoldTime::Fixed(Duration::from_millis(500)),
        max_calls: Some(600),
        sockets: 3,
        ..Plan::default()
    };
    let mut told = Vec::new();
    let report = load::run(plan, || false, |progress| told.push(*progress)).unwrap();
    let ggsn = served.stop();
    assert_eq!(report.create.requests, 600);
    assert_eq!(report.create.accepted, u64::from(ggsn.created));
    assert!(report.create.refused > 0);
    assert_eq!(report.create.accepted + report.create.refused, 600);
    assert_eq!(report.delete.accepted, report.create.accepted);
    assert!(ggsn.sessions.is_empty());
    assert!(report.create.latency.p50_us > 0);
    assert!(report.create.latency.max_us >= report.create.latency.p50_us);
    assert!(report.elapsed_s >= 1.49, "{}", report.elapsed_s);
    let last = told.last().unwrap();
    assert!(told.len() >= 2);
    assert_eq!((last.begun, last.live), (600, 0));
}

#[test]
fn a_run_that_is_stopped_leaves_nothing_behind() {
    let served = serve(Ggsn::new(usize::MAX), 0);
    let plan = Plan {
        peer: served.address,
        local_port: 0,
        calls_per_s: 500.0,
        hold: HoldTime::Forever,
        ..Plan::default()
    };
    let up = Cell::new(0);
    let report = load::run(plan, || up.get() > 50, |told| up.set(told.live)).unwrap();
    let ggsn = served.stop();
    assert!(ggsn.created > 50, "{}", ggsn.created);
    assert!(ggsn.sessions.is_empty());
    assert_eq!(report.live, 0);
    assert_eq!(report.delete.accepted, u64::from(ggsn.created));
}

#[test]
fn a_stopped_run_gives_up_on_a_ggsn_that_is_gone() {
    let served = serve(Ggsn::new(usize::MAX), 0);
    let plan = Plan {
        peer: served.address,
        local_port: 0,
        calls_per_s: 500.0,
        hold: HoldTime::Forever,
        drain_limit: Duration::from_millis(300),
        ..Plan::default()
    };
    let up = Cell::new(0);
    let mut served = Some(served);
    let stop = || {
        let stop = up.get() > 50;
        if let Some(served) = served.take_if(|_| stop) {
            served.stop();
        }
        stop
    };
    let report = load::run(plan, stop, |told| up.set(told.live)).unwrap();
    assert!(report.live > 0);
    assert!(report.delete.requests > 0);
    assert_eq!(report.delete.lost, 0, "it does not wait for that");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let plan = Plan {
        local: IpAddr::from([127, 0, 0, 1]),
        local_port: taken.local_addr().unwrap().port(),
        ..Plan::default()
    };
    let error = load::run(plan, || false, |_| ()).unwrap_err();
    let expected = format!("cannot bind {}", taken.local_addr().unwrap());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_client_creates_updates_and_deletes() {
    let served = serve(Ggsn::new(1), 0);
    let mut client = served.client();
    assert_eq!(client.echo().unwrap(), Some(5));
    let outcome = client.create("internet", imsi(1)).unwrap();
    assert_eq!(outcome.cause, Cause::REQUEST_ACCEPTED);
    assert_eq!((outcome.sends, outcome.recovery), (1, Some(5)));
    let context = outcome.context.unwrap();
    assert_eq!(context.imsi, imsi(1));
    assert_eq!(context.peer_teid, 0x1001);
    assert_eq!(context.address.unwrap().v4.unwrap().to_bits(), 0x1001);
    let full = client.create("internet", imsi(2)).unwrap();
    assert_eq!(
        (full.cause, full.context),
        (Cause::NO_RESOURCES_AVAILABLE, None)
    );
    let updated = client.update(&context).unwrap();
    assert_eq!(updated.cause, Cause::REQUEST_ACCEPTED);
    let deleted = client.delete(&context).unwrap();
    assert_eq!(deleted.cause, Cause::REQUEST_ACCEPTED);
    let again = client.delete(&context).unwrap();
    assert_eq!(again.cause, Cause::NON_EXISTENT);
    let order = Order::Full(Cause::APN_CONGESTION, Duration::from_secs(62));
    served.orders.send(order).unwrap();
    // The GGSN sees the order before the next request but one.
    client.echo().unwrap();
    let refused = client.create("internet", imsi(3)).unwrap();
    assert_eq!(refused.cause, Cause::APN_CONGESTION);
    let back_off = refused.back_off.and_then(BackOffTime::duration);
    assert_eq!(back_off, Some(Duration::from_secs(62)));
    let ggsn = served.stop();
    assert_eq!((ggsn.created, ggsn.updated), (1, 1));
}

#[test]
fn ten_thousand_contexts_come_up_in_seconds_and_go() {
    let served = serve(Ggsn::new(9_990), 0);
    let mut client = served.client_of(Duration::from_secs(1), u8::MAX);
    let begun = Instant::now();
    let burst = client
        .create_many("internet", (0..10_000).map(imsi), Client::WINDOW)
        .unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(120),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(burst.lost, 0);
    let causes: Vec<_> = burst.causes().into_iter().collect();
    let expected = [
        (Cause::REQUEST_ACCEPTED, 9_990),
        (Cause::NO_RESOURCES_AVAILABLE, 10),
    ];
    assert_eq!(causes, expected);
    let contexts = burst.contexts();
    let gone = client.delete_many(&contexts, Client::WINDOW).unwrap();
    assert_eq!(gone.outcomes.len(), 9_990);
    assert!(served.stop().sessions.is_empty());
}

#[test]
fn a_client_asks_again_until_it_is_heard() {
    let served = serve(Ggsn::new(usize::MAX), 2);
    let mut client = served.client_of(Duration::from_millis(100), u8::MAX);
    let outcomes: Vec<_> = (0..4)
        .map(|number| client.create("internet", imsi(number)).unwrap())
        .collect();
    // One, and two for each of the others; on a machine that stands still, more.
    let sends = outcomes.iter().map(|outcome| u32::from(outcome.sends));
    assert!(sends.sum::<u32>() >= 7, "{outcomes:?}");
    assert_eq!(served.stop().created, 4);
}

#[test]
fn a_client_says_when_nobody_answers() {
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut client = Client::open(ClientOptions {
        peer: nobody.local_addr().unwrap(),
        local_port: 0,
        t3_response: Duration::from_millis(10),
        n3_requests: 3,
        ..ClientOptions::default()
    })
    .unwrap();
    let error = client.create("internet", imsi(1)).unwrap_err();
    assert!(matches!(error, ClientError::NoAnswer { .. }));
    assert_eq!(
        error.to_string(),
        "no answer to a Create PDP Context Request"
    );
    let error = client.create("inter..net", imsi(1)).unwrap_err();
    assert!(matches!(error, ClientError::Write(_)));
}

#[test]
fn a_client_answers_while_it_serves() {
    let served = serve(Ggsn::new(usize::MAX), 0);
    let mut client = served.client();
    let context = client.create("internet", imsi(1)).unwrap().context.unwrap();
    let mut echo = Vec::new();
    Writer::new(&mut echo, MessageType::ECHO_REQUEST, 0, 9)
        .finish()
        .unwrap();
    let mut delete = Vec::new();
    let kind = MessageType::DELETE_PDP_CONTEXT_REQUEST;
    let mut writer = Writer::new(&mut delete, kind, context.teid, 10);
    writer.teardown(true).nsapi(Nsapi::FIRST);
    writer.finish().unwrap();
    for octets in [echo, delete] {
        served.orders.send(Order::Send(octets)).unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut ended = Vec::new();
    while ended.is_empty() && Instant::now() < deadline {
        client.serve(Duration::from_millis(20)).unwrap();
        ended = client.take_ended();
    }
    assert_eq!(ended, [context.teid]);
    served.stop();
}

/// What a client heard, on each interface.
#[test]
fn an_sgw_and_an_mme_make_calls_one_after_the_other() {
    for interface in [Interface::S5, Interface::S11] {
        let mut epc = Epc::new(interface, 2);
        epc.local = [127, 0, 0, 1].into();
        epc.refusal = v2::Cause::APN_CONGESTION;
        epc.back_off = Some(EpcTimer::at_least(Duration::from_secs(60)));
        let served = serve(epc, 3);
        let mut client = SessionClient::open(SessionOptions {
            interface,
            peer: served.address,
            local_port: 0,
            t3_response: Duration::from_millis(200),
            n3_requests: u8::MAX,
            ..SessionOptions::default()
        })
        .unwrap();
        assert_eq!(client.echo().unwrap().recovery, Some(5));
        let accepted = v2::Cause::REQUEST_ACCEPTED;
        let first = client.create("internet", imsi(1)).unwrap();
        assert_eq!(first.cause, accepted);
        let first = first.session.unwrap();
        assert_eq!(first.ebi, Ebi::FIRST);
        assert_eq!(first.address, Some(Paa::Ipv4(first.peer_teid.into())));
        let second = match interface {
            Interface::S11 => {
                let ebi = Ebi::new(6).unwrap();
                client.create_beside(&first, "ims", ebi).unwrap()
            }
            Interface::S5 | Interface::Gn => client.create("ims", imsi(2)).unwrap(),
        };
        let second = second.session.unwrap();
        assert_eq!(
            second.peer_teid == first.peer_teid,
            interface == Interface::S11
        );
        let refused = client.create("internet", imsi(3)).unwrap();
        assert_eq!(
            (refused.cause, refused.session),
            (v2::Cause::APN_CONGESTION, None)
        );
        let wait = refused.back_off.map(|back_off| back_off.duration());
        assert_eq!(wait, Some(Some(Duration::from_secs(60))));
        assert_eq!(client.modify(&first).unwrap().cause, accepted);
        if interface == Interface::S11 {
            assert_eq!(client.release(&first).unwrap().cause, accepted);
        }
        let mut out = Vec::new();
        let kind = v2::MessageType::DELETE_BEARER_REQUEST;
        let mut writer = v2::Writer::new(&mut out, kind, Some(second.teid), 9);
        writer.ebi(0, second.ebi);
        writer.finish().unwrap();
        // The gateway misses one of two answers at most.
        served.orders.send(Order::Send(out.clone())).unwrap();
        served.orders.send(Order::Send(out)).unwrap();
        let end = Instant::now() + Duration::from_secs(120);
        let mut ended = Vec::new();
        while ended.len() < 2 && Instant::now() < end {
            client.serve(Duration::from_millis(20)).unwrap();
            ended.extend(client.take_ended());
        }
        assert_eq!(ended, [(second.teid, second.ebi.number()); 2]);
        assert_eq!(client.delete(&first).unwrap().cause, accepted);
        let epc = served.stop();
        assert_eq!((epc.created, epc.modified), (2, 1));
        assert_eq!(epc.ended[0], (second.peer_teid, second.ebi.number()));
    }
}
