//! The options of `tollgate load`, and the plan that they make.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::{Args, ValueEnum};
use load::{Addresses, ApnShare, HoldTime, Interface, Plan, PlanError};

/// Port of GTP-C.
const GTP_C_PORT: u16 = 2123;

const EXAMPLES: &str = "\
Interfaces, and who is who on them:
  gn    GTPv1-C: we are an SGSN, the gateway is a GGSN. A call is a PDP context
  s5    GTPv2-C, S5 or S8: we are an SGW, the gateway is a PGW
  s11   GTPv2-C: we are an MME, the gateway is SGW and PGW in one, or with --pgw
        an SGW that takes the calls to that PGW. Each call is created, and told
        by Modify Bearer where its eNodeB is; --update-every lets its UE fall
        idle (Release Access Bearers) and come back (Modify Bearer)

Examples:
  tollgate load --target 127.0.0.1
      10 calls a second, each held for 10 seconds, until Ctrl-C
  tollgate load --target 10.0.0.1 --rate 2000 --ramp 10s --duration 1m \\
      --hold exp:30s --apn internet=8,ims=2
  tollgate load --target 10.0.0.1 --rate 5000 --calls 10000 --hold forever
      fill a license, then take the calls down again
  tollgate load --interface s5 --target 10.0.0.1 --rate 500 --calls 5000
  tollgate load --interface s11 --target 10.0.0.1 --pdns 2 --apn internet,ims
      each UE has two PDN connections, one by each access point
  tollgate load --interface s11 --target 10.0.0.1 --apn sos --emergency
      phones without a subscriber, by the access point for emergency calls

Times are written 250ms, 10s, 5m or 1h. Latency counts from when a request was
due, so that a slow peer can't hide behind a slow sender. Ctrl-C ends the run:
the calls are taken down, and the report is printed. A call that the gateway
ends (tollgate clear subscribers) is answered, and over here too.
Exit: 0 done; 1 some request was never answered, or no call was accepted;
2 options that make no plan.

A gateway may ask its peers by Echo, at port 2123, whether they are alive, and
end the calls of one that does not answer: for calls that last, give
--local-port 2123 (and, on the gateway's own machine, another --local).";

/// Options of `tollgate load`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct LoadArgs {
    /// The gateway: its address, and its port if that is not 2123
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = target)]
    pub target: SocketAddr,
    /// What to speak: GTPv1-C on gn, GTPv2-C on s5 and s11
    #[arg(
        long,
        value_name = "gn|s5|s11",
        default_value = "gn",
        hide_possible_values = true
    )]
    interface: Spoken,
    /// On s11: the PGW that calls name [default: the target itself]
    #[arg(long, value_name = "ADDR")]
    pgw: Option<IpAddr>,
    /// Our own address [default: the one that routes to the target]
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::UNSPECIFIED), hide_default_value = true)]
    local: IpAddr,
    /// Our own port; 0 takes any
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    local_port: u16,
    /// Calls begun a second
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    rate: f64,
    /// Time in which the rate goes up from nothing
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    ramp: Duration,
    /// How long a call is held: TIME, exp:MEAN, or forever
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = hold)]
    hold: HoldTime,
    /// Update each call every so often; on s11, let its UE fall idle and come
    /// back
    #[arg(long, value_name = "TIME", value_parser = time)]
    update_every: Option<Duration>,
    /// Access points, each with its share
    #[arg(
        long,
        value_name = "APN=SHARE,...",
        default_value = "internet",
        value_delimiter = ',',
        value_parser = apn
    )]
    apn: Vec<ApnShare>,
    /// On s11: PDN connections of each UE, which go round the access points
    #[arg(long, value_name = "N", default_value_t = 1)]
    pdns: u8,
    /// Addresses that calls ask for
    #[arg(
        long,
        value_name = "ipv4|ipv6|ipv4v6",
        default_value = "ipv4",
        hide_possible_values = true
    )]
    pdn_type: Wanted,
    /// Subscribers; each has one call at a time
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    subscribers: u32,
    /// IMSI of the first subscriber; with --emergency, IMEI of the first phone
    #[arg(long, value_name = "IMSI", default_value = "001010000000001")]
    first_imsi: String,
    /// Begin calls for so long [default: until Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = time)]
    duration: Option<Duration>,
    /// Begin so many calls [default: no end]
    #[arg(long, value_name = "N")]
    calls: Option<u64>,
    /// Leave the calls up at the end
    #[arg(long)]
    leave_up: bool,
    /// Wait for an answer before a request is sent again (T3-RESPONSE)
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = time)]
    t3: Duration,
    /// Times that a request is sent at most (N3-REQUESTS)
    #[arg(long, value_name = "N", default_value_t = 3)]
    n3: u8,
    /// Most requests without an answer at any time
    #[arg(long, value_name = "N", default_value_t = 512)]
    window: u32,
    /// On gn: allocation/retention priority, 1 to 3 [default: 2]
    #[arg(long, value_name = "N")]
    arp: Option<u8>,
    /// Priority level, 1 (the highest) to 15; on gn an element of its own
    /// [default: none on gn, else 9]
    #[arg(long, value_name = "N")]
    evolved_arp: Option<u8>,
    /// Calls signal low access priority
    #[arg(long)]
    low_priority: bool,
    /// Not on gn: phones without a subscriber, named by their IMEI alone, which
    /// only an access point for emergency calls takes
    #[arg(long)]
    emergency: bool,
    /// Seed of what is random: access point and hold time
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print the report as JSON, and no progress
    #[arg(long)]
    pub json: bool,
}

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Spoken {
    Gn,
    S5,
    S11,
}

/// Addresses that calls ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wanted {
    Ipv4,
    Ipv6,
    Ipv4v6,
}

/// Options that make no plan: about what, and what to do.
pub struct Unfit {
    /// What is wrong.
    pub what: String,
    /// The option.
    pub option: &'static str,
    /// What to do.
    pub todo: &'static str,
}

impl LoadArgs {
    /// The plan, within its bounds.
    pub fn plan(&self) -> Result<Plan, Unfit> {
        let interface = match self.interface {
            Spoken::Gn => Interface::Gn,
            Spoken::S5 => Interface::S5,
            Spoken::S11 => Interface::S11,
        };
        if self.arp.is_some() && interface != Interface::Gn {
            return Err(Unfit {
                what: format!("{} has no such priority", interface.name()),
                option: "--arp",
                todo: "give the level, 1 to 15, with --evolved-arp",
            });
        }
        let plan = self.plan_of(interface);
        match plan.check() {
            Ok(()) => Ok(plan),
            Err(error) => Err(Unfit {
                what: error.to_string(),
                option: option(&error),
                todo: "see tollgate load --help",
            }),
        }
    }

    fn plan_of(&self, interface: Interface) -> Plan {
        let default = Plan::default();
        Plan {
            interface,
            peer: self.target,
            pgw: self.pgw,
            local: self.local,
            local_port: self.local_port,
            calls_per_s: self.rate,
            ramp: self.ramp,
            hold: self.hold,
            update_every: self.update_every,
            apns: self.apn.clone(),
            pdns: self.pdns,
            addresses: match self.pdn_type {
                Wanted::Ipv4 => Addresses::Ipv4,
                Wanted::Ipv6 => Addresses::Ipv6,
                Wanted::Ipv4v6 => Addresses::Ipv4v6,
            },
            first_imsi: self.first_imsi.clone(),
            subscribers: self.subscribers,
            emergency: self.emergency,
            low_priority: self.low_priority,
            max_calls: self.calls,
            duration: self.duration,
            leave_up: self.leave_up,
            t3_response: self.t3,
            n3_requests: self.n3,
            window: self.window,
            arp: self.arp.unwrap_or(default.arp),
            evolved_arp_level: self.evolved_arp,
            seed: self.seed,
            ..default
        }
    }
}

/// The option that an error of the plan is about.
pub fn option(error: &PlanError) -> &'static str {
    match error {
        PlanError::NoApn | PlanError::Apn { .. } => "--apn",
        PlanError::Imsi { .. } | PlanError::Imei { .. } => "--first-imsi",
        PlanError::Family { .. } => "--pgw",
        PlanError::Subscribers { .. } => "--subscribers",
        PlanError::Range { key, .. } | PlanError::Interface { key, .. } => match *key {
            "calls_per_s" => "--rate",
            "subscribers" => "--subscribers",
            "window" => "--window",
            "n3_requests" => "--n3",
            "pgw" => "--pgw",
            "pdns" => "--pdns",
            "emergency" => "--emergency",
            "arp" => "--arp",
            "evolved_arp_level" => "--evolved-arp",
            "t3_response" => "--t3",
            "update_every" => "--update-every",
            _ => "command line",
        },
    }
}

fn target(text: &str) -> Result<SocketAddr, String> {
    let with_port = text.parse().ok();
    let address = text.parse().ok();
    with_port
        .or_else(|| address.map(|address| SocketAddr::new(address, GTP_C_PORT)))
        .ok_or_else(|| {
            "an address such as 127.0.0.1, [::1]:2123 or 10.0.0.1:2123 is expected".to_owned()
        })
}

fn time(text: &str) -> Result<Duration, String> {
    let expected = || "a time such as 250ms, 10s, 5m or 1h is expected".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| expected())?;
    let unit_ms = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(expected()),
    };
    let milliseconds = number.checked_mul(unit_ms).ok_or_else(expected)?;
    Ok(Duration::from_millis(milliseconds))
}

fn hold(text: &str) -> Result<HoldTime, String> {
    if text == "forever" {
        return Ok(HoldTime::Forever);
    }
    match text.strip_prefix("exp:") {
        Some(mean) => time(mean).map(HoldTime::Exponential),
        None => time(text).map(HoldTime::Fixed),
    }
}

fn apn(text: &str) -> Result<ApnShare, String> {
    let (apn, share) = text.split_once('=').unwrap_or((text, "1"));
    let weight = share.parse().map_err(|_| {
        "an access point with its share, such as internet=8, is expected".to_owned()
    })?;
    Ok(ApnShare {
        apn: apn.to_owned(),
        weight,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        load: LoadArgs,
    }

    fn plan(words: &str) -> Plan {
        let words = ["load"].into_iter().chain(words.split_whitespace());
        Line::try_parse_from(words)
            .unwrap()
            .load
            .plan()
            .ok()
            .unwrap()
    }

    fn unfit(words: &str) -> String {
        let words = ["load", "--target", "10.0.0.1"]
            .into_iter()
            .chain(words.split_whitespace());
        let unfit = Line::try_parse_from(words)
            .unwrap()
            .load
            .plan()
            .err()
            .unwrap();
        format!("{}: {}", unfit.option, unfit.what)
    }

    #[test]
    fn every_option_is_in_the_plan() {
        let plan = plan(
            "--target 10.0.0.1:3386 --local 10.0.0.2 --local-port 2124 --rate 2.5 --ramp 1m --hold exp:250ms \
             --update-every 5s --apn internet=8,ims=2 --subscribers 7 --first-imsi 001019999999999 --duration 2h \
             --calls 9 --leave-up --t3 1s --n3 5 --window 3 --arp 1 --evolved-arp 15 --seed 42 --pdn-type ipv4v6 \
             --low-priority",
        );
        let share = |apn: &str, weight| ApnShare {
            apn: apn.into(),
            weight,
        };
        let expected = Plan {
            peer: "10.0.0.1:3386".parse().unwrap(),
            local: "10.0.0.2".parse().unwrap(),
            local_port: 2124,
            calls_per_s: 2.5,
            ramp: Duration::from_secs(60),
            hold: HoldTime::Exponential(Duration::from_millis(250)),
            update_every: Some(Duration::from_secs(5)),
            addresses: Addresses::Ipv4v6,
            low_priority: true,
            apns: vec![share("internet", 8), share("ims", 2)],
            first_imsi: "001019999999999".into(),
            subscribers: 7,
            max_calls: Some(9),
            duration: Some(Duration::from_secs(7_200)),
            leave_up: true,
            t3_response: Duration::from_secs(1),
            n3_requests: 5,
            window: 3,
            arp: 1,
            evolved_arp_level: Some(15),
            seed: 42,
            ..Plan::default()
        };
        assert_eq!(plan, expected);
    }

    #[test]
    fn an_interface_has_options_of_its_own() {
        let on_s11 = plan("--target 10.0.0.1 --interface s11 --pgw 10.0.0.9 --pdns 11 --emergency");
        assert_eq!(on_s11.interface, Interface::S11);
        assert_eq!(on_s11.pgw, Some(IpAddr::from([10, 0, 0, 9])));
        assert_eq!((on_s11.pdns, on_s11.emergency), (11, true));
        for (words, said) in [
            (
                "--pgw 10.0.0.9",
                "--pgw: pgw: Gn has no such thing; an MME names a PGW, on S11",
            ),
            (
                "--interface s5 --pdns 2",
                "--pdns: pdns: S5/S8 has no such thing; a UE has several on S11",
            ),
            (
                "--emergency",
                "--emergency: emergency: Gn has no such thing; name an access point for emergency calls",
            ),
            (
                "--interface s11 --pdns 12",
                "--pdns: pdns: 12 is not 1 to 11",
            ),
            (
                "--interface s11 --pgw ::1",
                "--pgw: pgw: ::1 and the gateway's own address are of different families",
            ),
            (
                "--interface s5 --emergency --first-imsi 123456",
                "--first-imsi: first_imsi: \"123456\" is not 14 or 15 digits, as emergency calls need",
            ),
            (
                "--interface s5 --arp 1",
                "--arp: S5/S8 has no such priority",
            ),
        ] {
            assert_eq!(unfit(words), said);
        }
    }

    #[test]
    fn a_target_without_a_port_is_at_that_of_gtp_c() {
        assert_eq!(target("::1"), Ok("[::1]:2123".parse().unwrap()));
        assert_eq!(target("127.0.0.1"), Ok("127.0.0.1:2123".parse().unwrap()));
        assert!(target("ggsn").is_err());
    }

    #[test]
    fn times_have_units() {
        assert_eq!(time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(hold("forever"), Ok(HoldTime::Forever));
        for wrong in ["10", "s", "-1s", "1d", "18446744073709551615h", ""] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
