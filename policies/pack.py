"""The policies as Pulumi sees them. Few that dispatch: the engine's data are read again for each.

Two levels of enforcement need two policies, and so do resources and the stack: four. The first carries the
configuration of all rules, the others tell what it found at their level.
"""

from collections.abc import Callable
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.adapter import home_of, kind_of, object_of, plain
from policies.configuration import Level, schema
from policies.manifest import Doc, Manifest
from policies.remedies import remedy
from policies.rules import RULES
from policies.session import Session

NAME = "kafka-ha"
VERSION = "0.1.0"  # PulumiPolicy.yaml's
_URL = "https://kafka.apache.org/documentation/#operations"
_FRAMEWORK = PolicyComplianceFramework(
    name="Kafka that outlives a node or a zone",
    version=VERSION,
    reference=_URL,
    specification=", ".join(sorted({rule.framework for rule in RULES})),
)


def policies(session: Session) -> list[Policy]:
    """The policies of one run."""
    pending: list[tuple[Level, str, str]] = []

    def resource(args: ResourceValidationArgs, report: ReportViolation) -> None:
        settings = plain(dict(args.get_config()))
        session.configure(settings if isinstance(settings, dict) else {})
        session.show(args.urn, home_of(args), object_of(args))
        for message in session.waiting(args.urn, Level.MANDATORY):
            report(message, args.urn)

    def resource_advice(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if not session.shown(args.urn):  # where the policy before this one is disabled
            session.show(args.urn, home_of(args), object_of(args))
        for message in session.waiting(args.urn, Level.ADVISORY):
            report(message, args.urn)

    def stack(args: StackValidationArgs, report: ReportViolation) -> None:
        pending[:] = session.end([found for one in args.resources if (found := _of_stack(one))])
        _tell(pending, Level.MANDATORY, report)

    def stack_advice(args: StackValidationArgs, report: ReportViolation) -> None:
        _tell(pending, Level.ADVISORY, report)

    def remediation(args: ResourceValidationArgs) -> Any:
        return remedy(args, session.configuration, session.today)

    mandatory, advisory = EnforcementLevel.MANDATORY, EnforcementLevel.ADVISORY
    unsafe = "Kafka must outlive the loss of a node or a zone."
    advice = "Kafka could be safer, or it can't be decided whether it is safe."
    about: Any = {"framework": _FRAMEWORK, "url": _URL, "tags": ["kafka"]}
    return [
        ResourceValidationPolicy(
            "kafka", unsafe, resource, mandatory, PolicyConfigSchema(schema()), severity=Severity.CRITICAL, **about
        ),
        ResourceValidationPolicy("kafka-advice", advice, resource_advice, advisory, severity=Severity.MEDIUM, **about),
        StackValidationPolicy("kafka-stack", unsafe, stack, mandatory, severity=Severity.CRITICAL, **about),
        StackValidationPolicy("kafka-stack-advice", advice, stack_advice, advisory, severity=Severity.MEDIUM, **about),
        ResourceValidationPolicy(
            "kafka-remedies",
            "Sets right what can be set right safely: spread, grace period, addresses before readiness.",
            remediate=remediation,
            enforcement_level=EnforcementLevel.DISABLED,
            severity=Severity.LOW,
            **about,
        ),
    ]


def _tell(answers: list[tuple[Level, str, str]], level: Level, report: Callable[[str, str | None], None]) -> None:
    for at, message, urn in answers:
        if at is level:
            report(message, urn or None)


def _of_stack(one: PolicyResource) -> tuple[str, str, Manifest] | None:
    kind = kind_of(one.resource_type)
    if kind is None:
        return None
    props = plain(one.props)
    if not props:  # the empty outputs of what a first preview would create
        return None
    return one.urn, home_of(one), Manifest(*kind, Doc(props), one.urn, one.name)
