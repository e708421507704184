//! The machine and a gateway behind a network that loses, repeats and reorders, on a virtual clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use licensing::Mono;
use load::{Machine, Plan, Report};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub const GATEWAY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 2123);
pub const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

/// Whoever the machine puts calls on.
pub trait Gateway {
    /// The answer to a datagram that came from this one of the machine's sockets, if there is one.
    fn handle(&mut self, path: u16, datagram: &[u8]) -> Option<Vec<u8>>;
}

/// What the network does to each datagram.
#[derive(Clone, Copy)]
pub struct Network {
    pub loss: f64,
    pub repeat: f64,
    pub least: Duration,
    pub most: Duration,
}

pub const CLEAN: Network = Network {
    loss: 0.0,
    repeat: 0.0,
    least: Duration::from_millis(1),
    most: Duration::from_millis(1),
};

pub const BAD: Network = Network {
    loss: 0.1,
    repeat: 0.1,
    least: Duration::from_millis(1),
    most: Duration::from_millis(200),
};

/// A datagram on its way: when it arrives, a number that keeps the order, whether to the gateway, path, octets.
type OnTheWay = Reverse<(Mono, u64, bool, u16, Vec<u8>)>;

pub struct World<G> {
    pub machine: Machine,
    pub gateway: G,
    network: Network,
    random: StdRng,
    on_the_way: BinaryHeap<OnTheWay>,
    sent: u64,
    pub now: Mono,
    /// Datagrams that the machine sent to others than the gateway's signalling address.
    pub elsewhere: Vec<(SocketAddr, Vec<u8>)>,
}

impl<G: Gateway> World<G> {
    pub fn new(plan: Plan, gateway: G, network: Network, seed: u64) -> Self {
        Self {
            machine: Machine::new(plan, LOCAL, 0, Mono(0)).unwrap(),
            gateway,
            network,
            random: StdRng::seed_from_u64(seed),
            on_the_way: BinaryHeap::new(),
            sent: 0,
            now: Mono(0),
            elsewhere: Vec::new(),
        }
    }

    fn send(&mut self, to_gateway: bool, path: u16, octets: &[u8]) {
        let copies = 1 + u32::from(self.random.random_bool(self.network.repeat));
        for _ in 0..copies {
            if self.random.random_bool(self.network.loss) {
                continue;
            }
            let delay = self
                .random
                .random_range(self.network.least..=self.network.most);
            self.sent += 1;
            let at = self.now.after(delay);
            let datagram = (at, self.sent, to_gateway, path, octets.to_vec());
            self.on_the_way.push(Reverse(datagram));
        }
    }

    pub fn flush(&mut self) {
        let mut out = Vec::new();
        while let Some(transmit) = self.machine.poll_transmit(&mut out) {
            match transmit.to {
                None => self.send(true, transmit.path, &out),
                Some(to) => self.elsewhere.push((to, out.clone())),
            }
        }
    }

    fn deliver(&mut self) {
        while let Some(Reverse(first)) = self.on_the_way.peek() {
            if first.0 > self.now {
                return;
            }
            let Some(Reverse((_, _, to_gateway, path, octets))) = self.on_the_way.pop() else {
                return;
            };
            if to_gateway {
                if let Some(answer) = self.gateway.handle(path, &octets) {
                    self.send(false, path, &answer);
                }
            } else {
                self.machine
                    .handle_datagram(path, GATEWAY, &octets, self.now);
                self.flush();
            }
        }
    }

    /// Lets time go by until then.
    pub fn run_until(&mut self, until: Mono) {
        loop {
            self.machine.handle_timeout(self.now);
            self.flush();
            self.deliver();
            self.flush();
            let arrival = self.on_the_way.peek().map(|Reverse(first)| first.0);
            let next = arrival.into_iter().chain(self.machine.poll_timeout()).min();
            match next {
                Some(next) if next <= until => self.now = self.now.max(next),
                _ => {
                    self.now = until;
                    return;
                }
            }
        }
    }

    /// Lets time go by until the machine has nothing more to do.
    pub fn run(&mut self) -> Report {
        for _ in 0..100_000 {
            self.run_until(self.now.after(Duration::from_millis(10)));
            if self.machine.is_done() {
                return self.machine.report(self.now);
            }
        }
        panic!("the machine does not come to an end");
    }
}
