//! Several sockets on one port, one of each worker, and the program by which the kernel picks one for a datagram.
//!
//! The program is classic BPF (`SO_ATTACH_REUSEPORT_CBPF`, socket(7)), which the kernel checks, and runs on the octets of the
//! datagram. It comes to the same worker as [`session_plane::worker_of`] for what peers send as a rule, and to any for the
//! rest: whoever reads a datagram asks `worker_of`, and hands on what is another's.

use nix::libc::{sock_filter, sock_fprog};
use nix::sys::socket::{setsockopt, sockopt};
use serde::Deserialize;

/// Through which sockets GTP-C comes where there are several workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GtpSockets {
    /// One for each worker where the system picks among them.
    #[default]
    Auto,
    /// One, which a thread of its own reads.
    One,
    /// One for each worker, or no start.
    Steered,
}

/// An instruction of classic BPF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    code: u16,
    /// Instructions that are left out if it holds, and if not.
    jumps: [u8; 2],
    k: u32,
}

// linux/bpf_common.h and linux/filter.h: class, size, mode or operation.
const LOAD_OCTET: u16 = 0x30;
const LOAD_TWO: u16 = 0x28;
const LOAD_FOUR: u16 = 0x20;
const LOAD_CONSTANT: u16 = 0x00;
const AND: u16 = 0x54;
const SHIFT_RIGHT: u16 = 0x74;
const MULTIPLY: u16 = 0x24;
const REMAINDER: u16 = 0x94;
const XOR_X: u16 = 0xAC;
const TO_X: u16 = 0x07;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x16;
const RETURN_CONSTANT: u16 = 0x06;

/// Octets of an IMSI.
const IMSI_BYTES: u32 = 8;

/// A place in the program, to be jumped to from before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    V1,
    V1Create,
    V1Teid,
    V1Sequence,
    V2,
    V2Create,
    V2Teid,
    V2Sequence,
    V2WithoutTeid,
    /// The shard is the low octet of what is loaded.
    Shard,
    /// The first socket.
    First,
    Next,
}

/// The program under construction.
#[derive(Default)]
struct Assembler {
    instructions: Vec<Instruction>,
    /// Jumps whose places are to be found.
    jumps: Vec<(usize, [Place; 2])>,
    places: Vec<(Place, usize)>,
}

impl Assembler {
    fn at(&mut self, place: Place) {
        self.places.push((place, self.instructions.len()));
    }

    fn put(&mut self, code: u16, k: u32) {
        let jumps = [0, 0];
        self.instructions.push(Instruction { code, jumps, k });
    }

    /// Goes to one place if what is loaded is `k`, else to another.
    fn if_equal(&mut self, k: u32, then: Place, otherwise: Place) {
        self.jumps
            .push((self.instructions.len(), [then, otherwise]));
        self.put(JUMP_IF_EQUAL, k);
    }

    fn go(&mut self, place: Place) {
        self.jumps.push((self.instructions.len(), [place, place]));
        self.put(JUMP, 0);
    }

    /// The shard of the IMSI in the eight octets from `from`: FNV-1a, its high half folded in.
    fn shard_of_imsi(&mut self, from: u32) {
        self.put(LOAD_CONSTANT, 0x811C_9DC5);
        for octet in from..from + IMSI_BYTES {
            self.put(TO_X, 0);
            self.put(LOAD_OCTET, octet);
            self.put(XOR_X, 0);
            self.put(MULTIPLY, 0x0100_0193);
        }
        self.put(TO_X, 0);
        self.put(SHIFT_RIGHT, 16);
        self.put(XOR_X, 0);
        self.go(Place::Shard);
    }

    fn finish(mut self) -> Vec<Instruction> {
        for (at, targets) in &self.jumps {
            let over = targets.map(|target| {
                let found = self.places.iter().find(|(place, _)| *place == target);
                // Places are behind what goes there; Next is nowhere.
                found.map_or(0, |(_, to)| to - at - 1)
            });
            let instruction = &mut self.instructions[*at];
            match instruction.code {
                JUMP => instruction.k = over[0] as u32,
                // The program has fewer than 256 instructions.
                _ => instruction.jumps = over.map(|over| over as u8),
            }
        }
        self.instructions
    }
}

/// The program for so many workers; its result is the socket's place in the order in which they were bound. A load from
/// behind the datagram's end ends it with 0.
pub(crate) fn program(workers: u16) -> Vec<Instruction> {
    use Place::{
        First, Next, Shard, V1, V1Create, V1Sequence, V1Teid, V2, V2Create, V2Sequence, V2Teid,
        V2WithoutTeid,
    };
    let mut code = Assembler::default();
    code.put(LOAD_OCTET, 0);
    code.put(SHIFT_RIGHT, 5);
    code.if_equal(1, V1, Next);
    code.if_equal(2, V2, First);

    // TS 29.060 6: TEID at 4, sequence number at 8 if S is set; the IMSI is the first element of a Create (7.3.1).
    code.at(V1);
    code.put(LOAD_OCTET, 1);
    code.if_equal(16, V1Create, V1Teid);
    code.at(V1Create);
    code.put(LOAD_OCTET, 0);
    code.put(AND, 7);
    code.if_equal(0, V1Teid, Next);
    code.put(LOAD_OCTET, 12);
    code.if_equal(2, Next, V1Teid);
    code.shard_of_imsi(13);
    code.at(V1Teid);
    code.put(LOAD_FOUR, 4);
    code.if_equal(0, V1Sequence, Shard);
    code.at(V1Sequence);
    code.put(LOAD_OCTET, 0);
    code.put(AND, 2);
    code.if_equal(0, First, Next);
    code.put(LOAD_OCTET, 9);
    code.go(Shard);

    // TS 29.274 5.1: with T, TEID at 4 and sequence number at 8; without, sequence number at 4. The IMSI, of eight
    // octets and instance 0, is the first element of a Create (7.2.1).
    code.at(V2);
    code.put(LOAD_OCTET, 0);
    code.put(AND, 8);
    code.if_equal(0, V2WithoutTeid, Next);
    code.put(LOAD_OCTET, 1);
    code.if_equal(32, V2Create, V2Teid);
    code.at(V2Create);
    code.put(LOAD_OCTET, 12);
    code.if_equal(1, Next, V2Teid);
    code.put(LOAD_TWO, 13);
    code.if_equal(IMSI_BYTES, Next, V2Teid);
    code.put(LOAD_OCTET, 15);
    code.put(AND, 0x0F);
    code.if_equal(0, Next, V2Teid);
    code.shard_of_imsi(16);
    code.at(V2Teid);
    code.put(LOAD_FOUR, 4);
    code.if_equal(0, V2Sequence, Shard);
    code.at(V2Sequence);
    code.put(LOAD_OCTET, 10);
    code.go(Shard);
    code.at(V2WithoutTeid);
    code.put(LOAD_OCTET, 6);

    code.at(Shard);
    code.put(AND, 0xFF);
    code.put(REMAINDER, u32::from(workers.max(1)));
    code.put(RETURN, 0);
    code.at(First);
    code.put(RETURN_CONSTANT, 0);
    code.finish()
}

/// Has the kernel pick among the sockets of a port, one of which this is, by the program for so many workers. Errors: the
/// system doesn't.
pub(crate) fn attach(socket: &std::net::UdpSocket, workers: u16) -> std::io::Result<()> {
    let program = program(workers).into_iter();
    let mut filter: Vec<sock_filter> = program
        .map(|Instruction { code, jumps, k }| sock_filter {
            code,
            jt: jumps[0],
            jf: jumps[1],
            k,
        })
        .collect();
    let program = sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    Ok(setsockopt(socket, sockopt::AttachReusePortCbpf, &program)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::hash::{BuildHasher, Hasher, RandomState};
    use std::net::UdpSocket;
    use std::time::Duration;

    use gtp::v1::{Imei, Imsi, Nsapi};
    use gtp::{v1, v2};
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use session_plane::worker_of;

    use super::*;
    use crate::socket::{self, GnSocket};

    /// What the program says of a datagram: the instructions that it has, after linux/filter.h.
    fn runs(program: &[Instruction], datagram: &[u8]) -> u32 {
        let (mut a, mut x, mut at) = (0_u32, 0_u32, 0);
        loop {
            let Instruction { code, jumps, k } = program[at];
            at += 1;
            let loaded = |bytes: usize| -> Option<u32> {
                let octets = datagram.get(k as usize..k as usize + bytes)?;
                Some(
                    octets
                        .iter()
                        .fold(0, |sum, octet| sum << 8 | u32::from(*octet)),
                )
            };
            let load = match code {
                LOAD_OCTET => loaded(1),
                LOAD_TWO => loaded(2),
                LOAD_FOUR => loaded(4),
                _ => Some(a),
            };
            let Some(load) = load else {
                return 0;
            };
            a = load;
            match code {
                LOAD_OCTET | LOAD_TWO | LOAD_FOUR => {}
                LOAD_CONSTANT => a = k,
                AND => a &= k,
                SHIFT_RIGHT => a >>= k,
                MULTIPLY => a = a.wrapping_mul(k),
                REMAINDER => a %= k,
                XOR_X => a ^= x,
                TO_X => x = a,
                JUMP => at += k as usize,
                JUMP_IF_EQUAL => at += usize::from(jumps[usize::from(a != k)]),
                RETURN => return a,
                RETURN_CONSTANT => return k,
                other => panic!("no instruction {other:#x}"),
            }
        }
    }

    fn imsi(random: &mut StdRng) -> Imsi {
        Imsi::from_number(random.random_range(1..1_000_000_000_000_000), 15).unwrap()
    }

    /// A message as peers send it.
    fn usual(random: &mut StdRng) -> Vec<u8> {
        let (teid, sequence): (u32, u32) = (random.random(), random.random::<u32>() >> 8);
        let mut octets = Vec::new();
        match random.random_range(0..7) {
            0 => {
                let kind = v1::MessageType::CREATE_PDP_CONTEXT_REQUEST;
                let mut writer = v1::Writer::new(&mut octets, kind, 0, sequence as u16);
                writer.imsi(imsi(random)).nsapi(Nsapi::new(5).unwrap());
                writer.finish().unwrap().to_vec()
            }
            // A further context of a session: no IMSI.
            1 => {
                let kind = v1::MessageType::CREATE_PDP_CONTEXT_REQUEST;
                let mut writer = v1::Writer::new(&mut octets, kind, teid, sequence as u16);
                writer.nsapi(Nsapi::new(6).unwrap());
                writer.finish().unwrap().to_vec()
            }
            2 => {
                let kind = v1::MessageType::DELETE_PDP_CONTEXT_REQUEST;
                let mut writer = v1::Writer::new(&mut octets, kind, teid, sequence as u16);
                writer.nsapi(Nsapi::new(5).unwrap());
                writer.finish().unwrap().to_vec()
            }
            3 => {
                let kind = v1::MessageType::ECHO_REQUEST;
                let writer = v1::Writer::new(&mut octets, kind, 0, sequence as u16);
                writer.finish().unwrap().to_vec()
            }
            4 => {
                let kind = v2::MessageType::CREATE_SESSION_REQUEST;
                let teid = if random.random() { 0 } else { teid };
                let mut writer = v2::Writer::new(&mut octets, kind, Some(teid), sequence);
                writer.imsi(imsi(random));
                writer.finish().unwrap().to_vec()
            }
            5 => {
                let kind = v2::MessageType::DELETE_SESSION_REQUEST;
                let writer = v2::Writer::new(&mut octets, kind, Some(teid), sequence);
                writer.finish().unwrap().to_vec()
            }
            _ => {
                let kind = v2::MessageType::ECHO_REQUEST;
                let writer = v2::Writer::new(&mut octets, kind, None, sequence);
                writer.finish().unwrap().to_vec()
            }
        }
    }

    /// One that is cut, changed, or nothing of GTP.
    fn unusual(random: &mut StdRng) -> Vec<u8> {
        let mut octets = usual(random);
        match random.random_range(0..4) {
            0 => octets.truncate(random.random_range(0..octets.len())),
            1 => {
                for _ in 0..random.random_range(1..4) {
                    let at = random.random_range(0..octets.len());
                    octets[at] = random.random();
                }
            }
            2 => {
                octets = (0..random.random_range(0..40))
                    .map(|_| random.random())
                    .collect()
            }
            // Of equipment without a subscriber.
            _ => {
                let kind = v1::MessageType::CREATE_PDP_CONTEXT_REQUEST;
                let mut other = Vec::new();
                let mut writer = v1::Writer::new(&mut other, kind, 0, random.random());
                writer
                    .imei(Imei::parse(&[0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09, 0x21]).unwrap());
                octets = writer.finish().unwrap().to_vec();
            }
        }
        octets
    }

    fn seeded() -> StdRng {
        let said = std::env::var("TOLLGATE_SEED").ok();
        let other = || RandomState::new().build_hasher().finish();
        let seed = said.map_or_else(other, |text| text.parse().unwrap());
        println!("seed {seed}");
        StdRng::seed_from_u64(seed)
    }

    #[test]
    fn the_program_picks_the_worker_of_what_is_usual_and_one_that_there_is_of_the_rest() {
        let mut random = seeded();
        for workers in [1, 2, 3, 7, 256] {
            let program = program(workers);
            assert!(program.len() < 256, "{}", program.len());
            for _ in 0..20_000 {
                let datagram = usual(&mut random);
                let picked = runs(&program, &datagram);
                let expected = u32::from(worker_of(&datagram, workers));
                assert_eq!(picked, expected, "{workers} workers: {datagram:02x?}");
                assert!(runs(&program, &unusual(&mut random)) < u32::from(workers));
            }
        }
    }

    #[test]
    fn the_kernel_picks_as_the_program_says() {
        let mut random = seeded();
        for (address, from, workers) in [
            ("127.0.61.20:0", "127.0.61.21:0", 2),
            ("127.0.61.20:0", "127.0.61.21:0", 5),
            ("[::1]:0", "[::1]:0", 3),
        ] {
            let bound = socket::bind_all(address.parse().unwrap(), workers, GtpSockets::Steered);
            let (sockets, why_not) = bound.unwrap();
            assert_eq!((sockets.len(), why_not), (usize::from(workers), None));
            let to = sockets[0].socket.local_addr().unwrap();
            let peer = UdpSocket::bind(from).unwrap();
            let program = program(workers);
            for round in 0..20 {
                let mut expected = BTreeMap::<u32, Vec<Vec<u8>>>::new();
                for _ in 0..50 {
                    let datagram = match random.random() {
                        true => usual(&mut random),
                        false => unusual(&mut random),
                    };
                    peer.send_to(&datagram, to).unwrap();
                    let picked = runs(&program, &datagram);
                    expected.entry(picked).or_default().push(datagram);
                }
                for (place, datagrams) in expected {
                    for datagram in datagrams {
                        let got = received(&sockets[place as usize]);
                        assert_eq!(got, Some(datagram), "round {round}, socket {place}");
                    }
                }
                assert!(sockets.iter().all(|one| received_now(one).is_none()));
            }
        }
    }

    fn received(from: &GnSocket) -> Option<Vec<u8>> {
        let limit = Some(Duration::from_secs(120));
        from.socket.set_read_timeout(limit).unwrap();
        let mut octets = [0; 2048];
        let length = from.socket.recv(&mut octets).ok()?;
        Some(octets[..length].to_vec())
    }

    fn received_now(from: &GnSocket) -> Option<Vec<u8>> {
        from.socket.set_nonblocking(true).unwrap();
        let one = received(from);
        from.socket.set_nonblocking(false).unwrap();
        one
    }

    #[test]
    fn a_port_that_another_has_is_not_shared() {
        let choices = [GtpSockets::Auto, GtpSockets::One, GtpSockets::Steered];
        for first in choices {
            let (sockets, _) =
                socket::bind_all("127.0.61.22:0".parse().unwrap(), 2, first).unwrap();
            let address = sockets[0].socket.local_addr().unwrap();
            for second in choices {
                let bound = socket::bind_all(address, 2, second);
                let error = bound.unwrap_err();
                assert_eq!(
                    error.kind(),
                    std::io::ErrorKind::AddrInUse,
                    "{first:?} {second:?}"
                );
            }
        }
    }
}
