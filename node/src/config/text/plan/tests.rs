use super::*;
use crate::config::text::table_of;

const RUNNING: &str = "\
config
  license smart enable
  license smart url https://authority.example:8443
  feature GRE enable
  snmp user noc read 1.3.6.1
  snmp target nms 192.0.2.1:162 version v3 user noc traps
  snmp target other 192.0.2.2:162 version v3 user noc traps
  snmp trap suppress tgCeilingChanged
  gn
    listen 127.0.0.1:2123
  #exit
  apn internet
    service GGSN
  #exit
  snmp
    location \"rack 7\"
  #exit
end
";

const BELOW: &str = "\
config
  snmp target nms 192.0.2.9:162 version v3 user noc traps
end
";

fn planned(text: &str, whole: bool) -> Result<Plan, Fault> {
    let (running, below) = (table_of(RUNNING).unwrap(), table_of(BELOW).unwrap());
    let standing = Standing {
        running: &running,
        below: &below,
        base: Path::new("/state"),
    };
    plan(text, &standing, whole)
}

fn lines(text: &str) -> Plan {
    planned(&format!("config\n{text}\nend\n"), false).unwrap()
}

/// Key, line and the lines after of each change.
fn told(plan: &Plan, text: &str) -> Vec<String> {
    let line = |at: usize| super::super::line_and_column(text, at).0;
    let one = |change: &Change| {
        let [before, after] = change.lines();
        let at = change.at.map(line).unwrap_or_default();
        format!(
            "{at} {}: {} > {}",
            change.key(),
            before.join("/"),
            after.join("/")
        )
    };
    plan.changes.iter().map(one).collect()
}

fn fixed(plan: &Plan) -> Vec<(&str, Why)> {
    let each = plan.fixed.iter();
    each.map(|fixed| (fixed.key.as_str(), fixed.why)).collect()
}

#[test]
fn what_stands_changes_nothing_also_as_a_whole() {
    for whole in [false, true] {
        assert_eq!(planned(RUNNING, whole).unwrap(), Plan::default(), "{whole}");
    }
    assert_eq!(planned("config\nend\n", false).unwrap(), Plan::default());
}

#[test]
fn a_line_says_one_thing_and_the_rest_stays() {
    let text = "config\n\
                snmp target nms 192.0.2.5 version v3 user noc traps\n\
                snmp target new 192.0.2.6 version v3 user noc traps\n\
                no snmp target other\n\
                snmp trap suppress tgCeilingCleared\n\
                end\n";
    let plan = planned(text, false).unwrap();
    assert_eq!(
        told(&plan, text),
        [
            "2 snmp.target[nms]: snmp target nms 192.0.2.1:162 version v3 user noc traps > snmp target nms 192.0.2.5:162 version v3 user noc traps",
            "3 snmp.target[new]:  > snmp target new 192.0.2.6:162 version v3 user noc traps",
            "4 snmp.target[other]: snmp target other 192.0.2.2:162 version v3 user noc traps > ",
            "5 snmp.suppress: snmp trap suppress tgCeilingChanged > snmp trap suppress tgCeilingChanged/snmp trap suppress tgCeilingCleared",
        ]
    );
    assert!(plan.fixed.is_empty());
}

#[test]
fn no_takes_back_and_default_is_what_the_configuration_says() {
    let plan =
        lines("default snmp\nno snmp trap suppress tgCeilingChanged\nno license smart proxy");
    let keys: Vec<(String, bool, bool)> = plan
        .changes
        .iter()
        .map(|change| (change.key(), change.after.is_some(), change.as_below))
        .collect();
    let key = |key: &str, is, below| (key.to_owned(), is, below);
    assert_eq!(
        keys,
        [
            key("snmp.suppress", false, true),
            key("snmp.target[nms]", true, true),
            key("snmp.target[other]", false, true),
            key("snmp.user[noc]", false, true),
        ]
    );
    assert_eq!(fixed(&plan), [("snmp", Why::Restart)]);
    // The last line of a thing says it.
    let last = lines("no snmp target nms\nsnmp target nms 192.0.2.1 version v3 user noc traps");
    assert_eq!(last, Plan::default());
    let last = lines("snmp target nms 192.0.2.7 version v3 user noc\nno snmp target nms");
    assert_eq!(last.changes.len(), 1);
    assert_eq!(last.changes[0].after, None);
    assert!(!last.changes[0].as_below, "the configuration has one");
    let last = lines("default snmp\nno snmp target nms");
    let key = |change: &&Change| change.key() == "snmp.target[nms]";
    let nms = last.changes.iter().find(key).unwrap();
    assert!(nms.after.is_none() && !nms.as_below, "{nms:?}");
    let all = lines("snmp\nno target\nexit");
    assert_eq!(all.changes.len(), 2, "{all:?}");
}

#[test]
fn a_whole_text_takes_back_what_it_does_not_say() {
    let text = RUNNING.replace("  snmp trap suppress tgCeilingChanged\n", "");
    let text = text.replace(
        "  snmp target other 192.0.2.2:162 version v3 user noc traps\n",
        "",
    );
    let plan = planned(&text, true).unwrap();
    let keys: Vec<(String, Option<usize>)> = plan
        .changes
        .iter()
        .map(|change| (change.key(), change.at))
        .collect();
    assert_eq!(
        keys,
        [
            ("snmp.suppress".to_owned(), None),
            ("snmp.target[other]".to_owned(), None)
        ]
    );
    let bare = planned("config\nend\n", true).unwrap();
    assert_eq!(
        fixed(&bare),
        [
            ("licensing.features[gre]", Why::Switched),
            ("licensing.smart_enable", Why::Switched),
            ("apn", Why::Restart),
            ("gn", Why::Restart),
            ("snmp", Why::Restart),
        ]
    );
}

#[test]
fn what_a_start_takes_or_a_command_switches_is_told_with_its_place() {
    let text = "config\n\
                feature gre enable\n\
                feature L2TP enable\n\
                no license smart enable\n\
                gn\n listen 127.0.0.1:2124\n exit\n\
                apn internet\n service PGW\n exit\n\
                no snmp location\n\
                end\n";
    let fault = planned(text, false).unwrap_err();
    assert!(
        fault
            .to_string()
            .starts_with("'location' is no command of snmp"),
        "{fault}"
    );
    let text = text.replace("no snmp location\n", "snmp\n no location\n exit\n");
    let plan = planned(&text, false).unwrap();
    assert_eq!(
        fixed(&plan),
        [
            ("licensing.features[L2TP]", Why::Switched),
            ("licensing.smart_enable", Why::Switched),
            ("gn.listen", Why::Restart),
            ("apn[internet]", Why::Restart),
            ("snmp.location", Why::Restart),
        ]
    );
    let places: Vec<(usize, usize)> = plan
        .fixed
        .iter()
        .map(|fixed| super::super::line_and_column(&text, fixed.at.unwrap()))
        .collect();
    assert_eq!(places, [(3, 9), (4, 18), (6, 2), (8, 1), (12, 5)]);
    assert!(plan.changes.is_empty());
    assert_eq!(
        fixed(&lines("no feature GRE enable")),
        [("licensing.features[gre]", Why::Switched)]
    );
}

#[test]
fn an_entry_is_said_whole_and_once() {
    let plan = lines("snmp\ntarget nms\n address 192.0.2.1:162\n no version\n exit\nexit");
    assert_eq!(plan.changes.len(), 1);
    let taken = |text| read(text).unwrap().taken.len();
    let within = "config\nsnmp\ntarget nms\n no version\n exit\nexit\nend";
    assert_eq!(taken(within), 0, "it is of the entry alone");
    assert_eq!(taken("config\nsnmp\n no location\nexit\nend"), 1);
    let twice = "snmp\ntarget nms\n exit\ntarget nms\n exit\nexit";
    let fault = planned(&format!("config\n{twice}\nend"), false).unwrap_err();
    assert_eq!(fault.to_string(), "snmp.target[nms] is given twice");
    let fault = planned("config\nsnmp\ntarget\nexit\nexit\nend", false).unwrap_err();
    assert_eq!(fault.to_string(), "snmp.target: its name is missing");
}

#[test]
fn paths_start_from_the_state_directory() {
    let plan = lines("snmp community noc --community-file secrets/3");
    let entry = plan.changes[0].after.as_ref().unwrap();
    assert_eq!(entry["community_file"], "/state/secrets/3".into());
}
