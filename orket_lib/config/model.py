"""The sweep config as a frozen model: every key with its type, range, default and meaning.

Keys are flat (`canary_runs: 10`); the same settings may be written as sections
(`canary: {runs: 10}`), see `loading`. Defaults are strict: looser thresholds belong in a config,
with the reason beside them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from orket_lib.artifacts.canary import CanaryPolicy
from orket_lib.artifacts.row import RowPolicy
from orket_lib.vocabulary.quants import is_path_safe, nominal_bits, normalize_tag
from orket_lib.vocabulary.slugs import slug
from orket_lib.vocabulary.statuses import Lane, VramProfile

SECTIONS = ("canary", "row", "hardware_sidecar", "kpi")


def _listed(value: object) -> object:
    """Accept `a, b` for `[a, b]`: on a command line a list is hard to write."""
    if isinstance(value, str):
        return tuple(part for part in (part.strip() for part in value.split(",")) if part)
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
Rate = Annotated[float, Field(ge=0, le=1)]


class SweepConfig(BaseModel):
    """One sweep: models x quants x tasks, and what to make of them."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=()
    )

    sweep: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="names results/<sweep>/")
    ] = "sweep"

    # --- matrix ---
    models: Annotated[Names, Field(description="model ids")]
    quants: Annotated[Names, Field(description="quant tags, such as Q4_K_M")]
    task_bank: Annotated[str, Field(description="path of the task bank")]
    runs_per_quant: Annotated[int, Field(ge=1, description="runs of each task")] = 2
    probe_runs: Annotated[int, Field(ge=1, description="speed measurements of each cell")] = 3
    task_limit: Annotated[int, Field(ge=0, description="first so many tasks; 0 = all")] = 0
    task_id_min: Annotated[int | None, Field(ge=1, description="lowest task id")] = None
    task_id_max: Annotated[int | None, Field(ge=1, description="highest task id")] = None

    # --- serving ---
    provider: Annotated[Literal["embedded"], Field(description="what serves the models")] = (
        "embedded"
    )
    artifact_template: Annotated[
        str | None, Field(description="path of a cell's file, with {model}, {slug} and {quant}")
    ] = None
    artifacts: Annotated[
        dict[str, dict[str, str]],
        Field(description="{model: {quant: path}}, for cells that the template doesn't fit"),
    ] = Field(default_factory=dict)
    quant_bits: Annotated[
        dict[str, float], Field(description="{tag: bits per weight} for tags that we don't know")
    ] = Field(default_factory=dict)
    n_ctx: Annotated[
        int | None, Field(ge=256, description="context in tokens; null = the model's own")
    ] = None
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    max_output_tokens: Annotated[int, Field(ge=1)] = 256
    task_timeout_sec: Annotated[float, Field(gt=0, description="of one task, s")] = 120.0
    machine: Annotated[
        str | None, Field(description="fingerprint that must measure; null = this machine")
    ] = None

    # --- controls ---
    seed: Annotated[int | None, Field(ge=0, description="of the sampler")] = None
    threads: Annotated[
        int | None, Field(ge=1, description="of the server; null = physical cores")
    ] = None
    affinity_policy: Annotated[
        str, Field(pattern=r"^(all|\d+(-\d+)?(,\d+(-\d+)?)*)$", description="`all` or `0-3,6`")
    ] = "all"
    warmup_steps: Annotated[
        int, Field(ge=3, le=50, description="at least so many; goes on until steady")
    ] = 3

    # --- labels ---
    execution_lane: Lane = Lane.LAB
    vram_profile: VramProfile = VramProfile.SAFE
    provenance_ref: str = "local-run:manual"

    # --- thresholds ---
    adherence_threshold: Annotated[
        float, Field(ge=0, le=1, description="ratio of the baseline quant's adherence")
    ] = 0.95
    latency_ceiling: Annotated[float, Field(gt=0, description="mean latency of a run, s")] = 10.0
    include_invalid: Annotated[
        bool, Field(description="let rows that are not valid into frontier and recommendation")
    ] = False

    kpi_policy: Annotated[str, Field(description="path of the KPI gate's limits")] = (
        "config/kpi_policy.json"
    )

    canary_runs: Annotated[int, Field(ge=0, description="0 = no canary")] = 5
    canary_task_limit: Annotated[int, Field(ge=1)] = 1
    canary_task_id_min: Annotated[int | None, Field(ge=1)] = None
    canary_task_id_max: Annotated[int | None, Field(ge=1)] = None
    canary_latency_variance_threshold: Annotated[
        float, Field(ge=0, description="limit of the coefficient of variation")
    ] = 0.03
    canary_drop_first_run: bool = True
    canary_max_missing_telemetry_rate: Rate = 0.0
    canary_max_age_hours: Annotated[float, Field(gt=0)] = 24.0

    hardware_sidecar_template: Annotated[
        str | tuple[str, ...] | None,
        Field(description="command of a hardware probe; a list is taken as it is"),
    ] = None
    hardware_sidecar_timeout_sec: Annotated[float, Field(gt=0)] = 120.0
    hardware_sidecar_profile: Annotated[
        str | None, Field(description="name of a probe in the profiles file")
    ] = None
    sidecar_profiles_config: Annotated[
        str, Field(description="path of the file with hardware probes by name")
    ] = "config/sidecar_profiles.json"

    row_max_missing_telemetry_rate: Rate = 0.0
    row_max_orchestration_overhead_ratio: Rate = 0.25
    row_max_cpu_saturation_rate: Rate = 0.0
    row_max_system_load_rate: Rate = 0.0

    @property
    def canary_policy(self) -> CanaryPolicy:
        """The thresholds that the canary's verdict depends on."""
        return CanaryPolicy(
            enabled=self.canary_runs > 0,
            latency_variance_threshold=self.canary_latency_variance_threshold,
            drop_first_run=self.canary_drop_first_run,
            max_missing_telemetry_rate=self.canary_max_missing_telemetry_rate,
            max_age_hours=self.canary_max_age_hours,
        )

    @property
    def row_policy(self) -> RowPolicy:
        """The thresholds that a row's quality depends on."""
        return RowPolicy(
            max_missing_telemetry_rate=self.row_max_missing_telemetry_rate,
            max_orchestration_overhead_ratio=self.row_max_orchestration_overhead_ratio,
            max_cpu_saturation_rate=self.row_max_cpu_saturation_rate,
            max_system_load_rate=self.row_max_system_load_rate,
        )

    def bits(self, quant: str) -> float | None:
        """Return the bits per weight that order a tag before its file is read."""
        return self.quant_bits.get(quant, nominal_bits(quant))

    @field_validator("*", mode="before")
    @classmethod
    def _a_number_is_not_true(cls, value: object, info: ValidationInfo) -> object:
        """Refuse `canary_runs: yes`, which would otherwise be one run."""
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and field.annotation is not bool:
            raise ValueError("must not be true or false")
        return value

    @field_validator("models")
    @classmethod
    def _models_have_folders_of_their_own(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        seen: dict[str, str] = {}
        for model in models:
            folder = slug(model)
            other = seen.get(folder.lower())
            if other == model:
                raise ValueError(f"`{model}` stands twice")
            if other is not None:
                raise ValueError(f"`{other}` and `{model}` would share the folder `{folder}`")
            seen[folder.lower()] = model
        return models

    @field_validator("quants")
    @classmethod
    def _quants_are_tags(cls, quants: tuple[str, ...]) -> tuple[str, ...]:
        tags = tuple(map(normalize_tag, quants))
        for tag in tags:
            if not is_path_safe(tag):
                raise ValueError(f"`{tag}` is not a quant tag (letters, digits, `_`, `.`, `-`)")
        if len(set(tags)) != len(tags):
            raise ValueError("a quant stands twice")
        return tags

    @field_validator("affinity_policy")
    @classmethod
    def _cpu_ranges_ascend(cls, policy: str) -> str:
        for part in policy.split(",") if policy != "all" else ():
            first, _, last = part.partition("-")
            if last and int(last) < int(first):
                raise ValueError(f"the range `{part}` runs backwards")
        return policy

    @field_validator("artifacts")
    @classmethod
    def _artifacts_use_tags(cls, table: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        return {
            model: {normalize_tag(quant): path for quant, path in files.items()}
            for model, files in table.items()
        }

    @field_validator("quant_bits")
    @classmethod
    def _bits_use_tags(cls, bits: dict[str, float]) -> dict[str, float]:
        for tag, value in bits.items():
            if not 0 < value <= 64:
                raise ValueError(f"`{tag}`: {value} bits per weight is not between 0 and 64")
        return {normalize_tag(tag): value for tag, value in bits.items()}

    @model_validator(mode="after")
    def _quants_have_an_order(self) -> SweepConfig:
        unknown = [quant for quant in self.quants if self.bits(quant) is None]
        if unknown:
            raise ValueError(
                f"quants: {', '.join(unknown)}: not a tag that we know; "
                "say how many bits per weight it has with quant_bits: {TAG: 4.5}"
            )
        return self

    @model_validator(mode="after")
    def _ranges_are_not_empty(self) -> SweepConfig:
        for low, high in (
            ("task_id_min", "task_id_max"),
            ("canary_task_id_min", "canary_task_id_max"),
        ):
            first, last = getattr(self, low), getattr(self, high)
            if first is not None and last is not None and first > last:
                raise ValueError(f"{low}: {first} is above {high}: {last}")
        return self
