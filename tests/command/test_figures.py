from services.command.figures import from_samples, summed

ONE = """
# TYPE interlock_accepted_total counter
interlock_accepted_total{feed="SOD",type="SOD.TOLL"} 3.0
interlock_accepted_total{feed="SOD",type="SOD.TARGET"} 4.0
# TYPE interlock_lag gauge
interlock_lag{group="fusion"} 5.0
interlock_lag{group="leads"} 1.0
# TYPE interlock_entities gauge
interlock_entities 100.0
"""
OTHER = """
# TYPE interlock_lag gauge
interlock_lag{group="fusion"} 2.0
# TYPE interlock_entities gauge
interlock_entities 90.0
# TYPE process_open_fds gauge
process_open_fds 12.0
"""


def test_counters_add_up_and_what_is_true_of_the_whole_does_not() -> None:
    now = from_samples(summed([ONE, OTHER]))
    assert (now.accepted, now.lag, now.leads_lag, now.entities) == (7, 7, 1, 100)
    assert now.fused is None
