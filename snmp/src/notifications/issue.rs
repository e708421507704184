//! Which notifications an event makes, and what they say.

use licensing::snapshot::Snapshot;
use licensing::{Alarm, AlarmKind, Event, FeatureIndex, ServiceIndex, TagRef};

use super::objects::Subject;
use super::{Issued, Kind, Phase, Which};
use crate::Oid;

/// What happened, as notifications are made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// An event of the verdicts.
    Event(Event),
    /// The node has started.
    Ready,
    /// What is enforced of the node as a whole is another: see [`EnforceMode`](super::EnforceMode).
    Overall,
    /// A registration succeeded.
    Registered,
    /// A registration failed.
    RegistrationFailed,
    /// The registration has ended.
    Deregistered,
    /// The authority ended the registration; why.
    RegistrationEnded(String),
    /// A deregistration failed; why.
    DeregistrationFailed(String),
    /// The identity certificate was renewed.
    IdRenewed,
    /// It was not.
    IdNotRenewed,
    /// The authorization was renewed.
    AuthorizationRenewed,
    /// It was not.
    AuthorizationNotRenewed,
    /// The first message in a row to the authority got no answer.
    CommunicationFailed,
    /// The first one after that did.
    CommunicationRestored,
    /// The date is outside of the identity certificate's validity.
    CertificateOutOfRange,
    /// It was so for an hour: the certificate is not used any more.
    CertificateDropped,
    /// The date is inside again.
    CertificateInRange,
    /// The identity certificate ends soon and is not renewed.
    CertificateExpires,
    /// The trust pool has changed.
    TrustPoolChanged,
    /// What was offered for the trust pool was not taken; why.
    TrustRefused(String),
    /// The authority sees two nodes of this identity.
    Forked,
    /// The agent's records can't be written.
    AgentNotWritten,
    /// A target was not sent everything: so many gave way to others, so many were dropped.
    Summary {
        /// For which others stand.
        coalesced: u32,
        /// Dropped.
        dropped: u32,
    },
}

/// The rows that raise an alarm, by name; those that clear it are named there.
pub fn of_alarm(kind: AlarmKind) -> &'static [&'static str] {
    match kind {
        AlarmKind::ServiceOutOfCompliance { .. } => &["starSmartLicenseServiceOOC"],
        AlarmKind::FeatureOutOfCompliance { .. } => &["starSmartLicenseFeatureOOC"],
        AlarmKind::EvaluationMode => &["starSmartLicenseEvalMode"],
        AlarmKind::EvaluationExpired => &["starSmartLicenseEvalModeExpire"],
        AlarmKind::AuthorityUnreachable => &["starSmartLicenseCSSMConntectionFail"],
        AlarmKind::AuthorizationExpired => &["tgAuthorizationExpiry"],
        AlarmKind::AtLimit { .. } => &["starLicenseExceeded", "tgServiceAtLimit"],
        AlarmKind::GraceExpired { feature: None, .. } => &["tgServiceGraceExpiry"],
        AlarmKind::GraceExpired { .. } => &["tgFeatureGraceExpiry"],
        AlarmKind::EvaluationEnded { feature: None, .. } => &["tgServiceEvalExpiry"],
        AlarmKind::EvaluationEnded { .. } => &["tgFeatureEvalExpiry"],
        AlarmKind::RemainingLow { .. } => &["starThreshLicense"],
        AlarmKind::LicenseCongestion { .. } => &["starCongestion"],
        AlarmKind::AuthorityCertificateExpiring => &["tgAuthorityCertExpiry"],
        AlarmKind::BlockNotApplied { .. } => &["tgBlockNotApplied"],
        AlarmKind::CountDrift { .. } => &["tgCountDrift"],
        AlarmKind::StateLost => &["tgStateLost"],
        AlarmKind::StateTampered => &["tgStateTampered"],
        AlarmKind::StateNotWritten => &["tgStateNotWritten"],
        AlarmKind::ClockTampered => &["tgClockTampered"],
        AlarmKind::ControlStalled => &["tgControlStalled"],
        AlarmKind::UnidentifiedCalls => &["tgUnidentifiedCalls"],
        AlarmKind::EmergencyShare => &["tgEmergencyShare"],
        AlarmKind::AgentStalled => &["tgAgentStalled"],
        AlarmKind::SnmpStalled => &["tgSnmpStalled"],
        AlarmKind::BulkstatsStalled => &["tgBulkstatsStalled"],
        AlarmKind::BulkstatsUndelivered => &["tgBulkstatsUndelivered"],
        AlarmKind::BulkstatsHostKey => &["tgBulkstatsHostKey"],
        AlarmKind::BulkstatsDiscarding => &["tgBulkstatsDiscarding"],
        AlarmKind::BulkstatsNotWritten => &["tgBulkstatsNotWritten"],
    }
}

/// The notifications of some news, in the order in which they go out; `uptime` in hundredths of a second, `enterprise`
/// the arc of our own MIB.
pub fn issue(news: &News, snapshot: &Snapshot, uptime: u32, enterprise: &Oid) -> Vec<Issued> {
    let node = Subject::node(snapshot);
    let maker = Maker { uptime, enterprise };
    let said = |text| Subject { text, ..node };
    match news {
        News::Event(event) => of_event(&maker, event, node),
        News::Ready => maker.events(&["ciscoSlaSmartAgentNotifyReady"], node),
        News::Overall => maker.events(&["ciscoSlaSmartAgentNotifyEnforcementMode"], node),
        News::Registered => maker.events(&["ciscoSlaSmartAgentNotifyRegisterSuccess"], node),
        News::RegistrationFailed => maker.events(&["ciscoSlaSmartAgentNotifyRegisterFailed"], node),
        News::Deregistered => maker.events(&["ciscoSlaSmartAgentNotifyDeRegisterSuccess"], node),
        News::RegistrationEnded(why) => maker.events(&["tgRegistrationEnded"], said(why)),
        News::DeregistrationFailed(why) => {
            maker.events(&["ciscoSlaSmartAgentNotifyDeRegisterFailed"], said(why))
        }
        News::IdRenewed => maker.events(&["ciscoSlaSmartAgentNotifyIdCertRenewSuccess"], node),
        News::IdNotRenewed => maker.events(&["ciscoSlaSmartAgentNotifyIdCertRenewFail"], node),
        News::AuthorizationRenewed => {
            maker.events(&["ciscoSlaSmartAgentNotifyAuthRenewSuccess"], node)
        }
        News::AuthorizationNotRenewed => {
            maker.events(&["ciscoSlaSmartAgentNotifyAuthRenewFail"], node)
        }
        News::CommunicationFailed => {
            maker.events(&["ciscoSlaSmartAgentNotifyCommunicationFailure"], node)
        }
        News::CommunicationRestored => {
            maker.events(&["ciscoSlaSmartAgentNotifyCommunicationRestored"], node)
        }
        News::CertificateOutOfRange => {
            maker.events(&["ciscoSlaSmartAgentNotifyIdCertOutOfRange"], node)
        }
        News::CertificateDropped => maker.events(&["ciscoSlaSmartAgentNotifyIdCertExpired"], node),
        News::CertificateInRange => maker.events(&["tgIdCertInRange"], node),
        News::CertificateExpires => {
            maker.events(&["ciscoSlaSmartAgentNotifyIdCertExpiryWarning"], node)
        }
        News::TrustPoolChanged => maker.events(&["tgTrustPoolChanged"], node),
        News::TrustRefused(why) => maker.events(&["tgTrustRefused"], said(why)),
        News::Forked => maker.events(&["tgForked"], node),
        News::AgentNotWritten => maker.events(&["tgReportsNotWritten"], node),
        News::Summary { coalesced, dropped } => {
            let of = Subject {
                figure: (*coalesced).into(),
                further: (*dropped).into(),
                ..node
            };
            maker.events(&[super::ours::SUMMARY], of)
        }
    }
}

fn of_event(maker: &Maker<'_>, event: &Event, node: Subject<'_>) -> Vec<Issued> {
    let of_tag = |tag| Subject {
        tag: Some(tag),
        ..node
    };
    let figured = |figure: u64| Subject {
        figure: i64::try_from(figure).unwrap_or(i64::MAX),
        ..node
    };
    match event {
        Event::AlarmRaised { alarm } => maker.alarm(alarm, Phase::Raise, node),
        Event::AlarmRepeated { alarm } => maker.alarm(alarm, Phase::Repeat, node),
        Event::AlarmCleared { alarm } => maker.alarm(alarm, Phase::Clear, node),
        Event::SmartLicensingEnabled => maker.events(&["ciscoSlaSmartAgentNotifyEnabled"], node),
        Event::SmartLicensingDisabled => maker.events(&["ciscoSlaSmartAgentNotifyDisabled"], node),
        Event::ModeChanged { .. } => maker.events(&["tgModeChanged"], node),
        Event::EvaluationStarted => {
            let left = figured(node.snapshot.evaluation.remaining_s);
            maker.events(&["tgEvaluationStarted"], left)
        }
        Event::EvaluationWarning { remaining_s } => maker.events(
            &[
                "ciscoSlaSmartAgentNotifyEvalExpiryWarning",
                "tgEvaluationWarning",
            ],
            figured(*remaining_s),
        ),
        Event::SilenceWarning { silent_s } => {
            maker.events(&["tgSilenceWarning"], figured(*silent_s))
        }
        Event::ComplianceChanged { tag, to, .. } => {
            let compliance = *to;
            let of = Subject {
                compliance,
                ..of_tag(*tag)
            };
            maker.events(&["ciscoSlaSmartAgentNotifyEntitlementEnforceMode"], of)
        }
        Event::PolicyChanged { tag, .. } => maker.events(&["tgPolicyChanged"], of_tag(*tag)),
        Event::CeilingChanged { service, .. } => {
            maker.events(&["tgCeilingChanged"], of_tag(TagRef::Service(*service)))
        }
        Event::FeatureEnabled { feature } => {
            maker.events(&["tgFeatureEnabled"], of_tag(TagRef::Feature(*feature)))
        }
        Event::FeatureDisabled { feature } => {
            maker.events(&["tgFeatureDisabled"], of_tag(TagRef::Feature(*feature)))
        }
        Event::ClockJumped { .. } => {
            maker.events(&["ciscoSlaSmartAgentNotifySystemClockChanged"], node)
        }
        Event::LabSpeedup { speedup } => {
            maker.events(&["tgLabSpeedup"], figured((*speedup).into()))
        }
    }
}

/// What all notifications of one call have in common.
struct Maker<'a> {
    uptime: u32,
    enterprise: &'a Oid,
}

impl Maker<'_> {
    fn events(&self, names: &[&str], subject: Subject<'_>) -> Vec<Issued> {
        let named = names.iter().filter_map(|name| Which::named(name));
        named
            .map(|which| self.make(which, Phase::Event, &subject))
            .collect()
    }

    fn alarm(&self, alarm: &Alarm, phase: Phase, node: Subject<'_>) -> Vec<Issued> {
        let subject = Subject {
            alarm: Some(alarm),
            tag: tag_of(alarm.kind),
            figure: alarm.value,
            further: threshold(alarm.kind, phase, node.snapshot),
            ..node
        };
        let mut issued = Vec::new();
        for name in of_alarm(alarm.kind) {
            let raise = Which::named(name);
            let which = match (phase, raise.map(|which| which.row().kind)) {
                (Phase::Clear, Some(Kind::Raise { cleared_by })) => Which::named(cleared_by),
                (Phase::Raise | Phase::Repeat | Phase::Event, _)
                | (Phase::Clear, Some(Kind::Clear | Kind::Event) | None) => raise,
            };
            issued.extend(which.map(|which| self.make(which, phase, &subject)));
        }
        if alarm.kind == AlarmKind::EvaluationExpired && phase == Phase::Raise {
            issued.extend(self.events(&["ciscoSlaSmartAgentNotifyEvalExpired"], node));
        }
        issued
    }

    fn make(&self, which: Which, phase: Phase, subject: &Subject<'_>) -> Issued {
        let objects = which.row().objects.iter();
        Issued {
            which,
            alarm: subject.alarm.map(|alarm| alarm.id),
            phase,
            subject: subject.row_place(),
            at: subject.snapshot.at.wall,
            uptime: self.uptime,
            varbinds: objects
                .map(|object| object.bind(subject, self.enterprise))
                .collect(),
        }
    }
}

/// The threshold that was crossed, in percent.
fn threshold(kind: AlarmKind, phase: Phase, snapshot: &Snapshot) -> i64 {
    let thresholds = &snapshot.thresholds;
    let crossed = match kind {
        AlarmKind::RemainingLow { .. } => thresholds.remaining,
        AlarmKind::LicenseCongestion { .. } => thresholds.congestion,
        AlarmKind::ServiceOutOfCompliance { .. }
        | AlarmKind::FeatureOutOfCompliance { .. }
        | AlarmKind::EvaluationMode
        | AlarmKind::EvaluationExpired
        | AlarmKind::AuthorityUnreachable
        | AlarmKind::AuthorizationExpired
        | AlarmKind::AtLimit { .. }
        | AlarmKind::GraceExpired { .. }
        | AlarmKind::EvaluationEnded { .. }
        | AlarmKind::AuthorityCertificateExpiring
        | AlarmKind::BlockNotApplied { .. }
        | AlarmKind::CountDrift { .. }
        | AlarmKind::StateLost
        | AlarmKind::StateTampered
        | AlarmKind::StateNotWritten
        | AlarmKind::ClockTampered
        | AlarmKind::ControlStalled
        | AlarmKind::UnidentifiedCalls
        | AlarmKind::EmergencyShare
        | AlarmKind::AgentStalled
        | AlarmKind::SnmpStalled
        | AlarmKind::BulkstatsStalled
        | AlarmKind::BulkstatsUndelivered
        | AlarmKind::BulkstatsHostKey
        | AlarmKind::BulkstatsDiscarding
        | AlarmKind::BulkstatsNotWritten => None,
    };
    let percent = crossed.map(|at| match phase {
        Phase::Clear => at.clear_percent,
        Phase::Raise | Phase::Repeat | Phase::Event => at.raise_percent,
    });
    percent.map_or(0, i64::from)
}

/// The service or feature that an alarm is of; none: it is the node's.
pub fn tag_of(kind: AlarmKind) -> Option<TagRef> {
    let either = |service: Option<ServiceIndex>, feature: Option<FeatureIndex>| {
        let service = service.map(TagRef::Service);
        service.or(feature.map(TagRef::Feature))
    };
    match kind {
        AlarmKind::ServiceOutOfCompliance { service }
        | AlarmKind::AtLimit { service }
        | AlarmKind::RemainingLow { service }
        | AlarmKind::LicenseCongestion { service } => Some(TagRef::Service(service)),
        AlarmKind::FeatureOutOfCompliance { feature } => Some(TagRef::Feature(feature)),
        AlarmKind::GraceExpired { service, feature }
        | AlarmKind::EvaluationEnded { service, feature }
        | AlarmKind::BlockNotApplied { service, feature }
        | AlarmKind::CountDrift { service, feature } => either(service, feature),
        AlarmKind::EvaluationMode
        | AlarmKind::EvaluationExpired
        | AlarmKind::AuthorityUnreachable
        | AlarmKind::AuthorizationExpired
        | AlarmKind::AuthorityCertificateExpiring
        | AlarmKind::StateLost
        | AlarmKind::StateTampered
        | AlarmKind::StateNotWritten
        | AlarmKind::ClockTampered
        | AlarmKind::ControlStalled
        | AlarmKind::UnidentifiedCalls
        | AlarmKind::EmergencyShare
        | AlarmKind::AgentStalled
        | AlarmKind::SnmpStalled
        | AlarmKind::BulkstatsStalled
        | AlarmKind::BulkstatsUndelivered
        | AlarmKind::BulkstatsHostKey
        | AlarmKind::BulkstatsDiscarding
        | AlarmKind::BulkstatsNotWritten => None,
    }
}
