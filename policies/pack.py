"""The policies as Pulumi sees them. Few that dispatch: the engine's data are read again for each.

Two levels of enforcement need two policies, and so do resources and the stack: four. The first carries the
configuration of all rules, the others tell what it found at their level.
"""

from collections.abc import Callable

from pulumi_policy import (
    EnforcementLevel,
    Policy,
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
from policies.session import Session

NAME = "kafka-ha"
_URL = "https://kafka.apache.org/documentation/#operations"


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

    mandatory, advisory = EnforcementLevel.MANDATORY, EnforcementLevel.ADVISORY
    unsafe = "Kafka must outlive the loss of a node or a zone."
    advice = "Kafka could be safer, or it can't be decided whether it is safe."
    return [
        ResourceValidationPolicy(
            "kafka", unsafe, resource, mandatory, PolicyConfigSchema(schema()), severity=Severity.CRITICAL, url=_URL
        ),
        ResourceValidationPolicy("kafka-advice", advice, resource_advice, advisory, severity=Severity.MEDIUM, url=_URL),
        StackValidationPolicy("kafka-stack", unsafe, stack, mandatory, severity=Severity.CRITICAL, url=_URL),
        StackValidationPolicy("kafka-stack-advice", advice, stack_advice, advisory, severity=Severity.MEDIUM, url=_URL),
        ResourceValidationPolicy(
            "kafka-remedies",
            "Sets right what can be set right safely: spread, grace period, addresses before readiness.",
            remediate=remedy,
            enforcement_level=EnforcementLevel.DISABLED,
            url=_URL,
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
