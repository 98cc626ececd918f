"""OFC's Bank Secrecy Act filings: currency transactions, suspicious activity, declarations."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from services.ingest.feeds import rules
from services.ingest.feeds.base import Predicated
from services.ingest.feeds.codes import CURRENCY, STATE, terms
from services.ingest.feeds.draft import Draft, make, utc
from services.ingest.feeds.parts import PARTIES, BsaId, Moment, hold
from services.ingest.feeds.problems import Problem, problem
from shared.contracts.entities import (
    Identifier,
    LocalId,
    Money,
    Name,
    Organization,
    PartialDate,
    Person,
    Role,
    Short,
    Text,
)  # fmt: skip
from shared.contracts.facts import EventKind, EventNumber, Facts, Transaction
from shared.contracts.model import Contract

ROLES: Final[Mapping[str, Role]] = {
    "SUBJECT": Role.SUBJECT,
    "CONDUCTOR": Role.ACCOUNT_HOLDER,
    "ON_BEHALF_OF": Role.BENEFICIAL_OWNER,
    "PAYER": Role.THIRD_PARTY,
    "PAYEE": Role.THIRD_PARTY,
    "ACCOUNT_HOLDER": Role.ACCOUNT_HOLDER,
    "OWNER": Role.BENEFICIAL_OWNER,
    "FILER": Role.INSTITUTION,
    "BRANCH": Role.INSTITUTION,
    "INSTITUTION": Role.INSTITUTION,
    "CARRIER": Role.INSTITUTION,
    "CONTACT": Role.CONTACT,
    "TRANSMITTER": Role.INSTITUTION,
    "OTHER": Role.THIRD_PARTY,
}
"""A party's part in the form → its role in the canonical report."""
DOERS: Final = frozenset({"CONDUCTOR", "SUBJECT", "PAYER"})
UNNAMED: Final = "UNKNOWN"
"""The name of a party that the form does not name; it becomes no mention."""
TITLES: Final = {"CTR112": "CTR", "SAR111": "SAR", "CMIR105": "CMIR", "F8300": "Form 8300", "FBAR114": "FBAR"}


class Party(Contract):
    """A party of the form: one of the report's persons or organisations, or described here."""

    role: Annotated[str, terms.PARTY]
    name: Name = Field(description=f"{UNNAMED} where the form names nobody")
    kind: Annotated[str, terms.PARTY_KIND] = "PERSON"
    entity: LocalId | None = Field(
        None, description="local_id of the person or organisation, if listed above"
    )
    ids: tuple[Identifier, ...] = Field((), max_length=50)
    dob: PartialDate | None = None
    accounts: tuple[LocalId, ...] = Field(
        (), max_length=200, description="local_ids of accounts the party holds"
    )

    @model_validator(mode="after")
    def _born(self) -> "Party":
        if self.dob is not None and self.kind == "ORGANIZATION":
            raise ValueError("an organisation has no dob")
        return self


class Txn(Contract):
    """One transaction of the form."""

    at: Moment
    amount: Money
    currency: Annotated[str, CURRENCY] = "USD"
    kind: Literal["CASH_IN", "CASH_OUT", "WIRE_IN", "WIRE_OUT", "CHECK", "MI"]
    account: LocalId | None = Field(None, description="local_id of the account, where the form names one")
    party: LocalId | None = Field(None, description="local_id of who conducted it")
    branch_state: Annotated[str, STATE] | None = None
    branch_zip: Short | None = None


class SuspiciousActivity(Contract):
    """FinCEN's type and subtype of suspicious activity."""

    type: Short
    subtype: Short | None = None
    text: Short | None = None


class Financial(Predicated):
    """A Bank Secrecy Act filing: who moved which money through which accounts.

    Marked FSEC and originator controlled; readers need the BSA authority.
    """

    KIND: ClassVar = EventKind.TRANSACTIONS
    CAVEATS: ClassVar = frozenset({"BSA"})
    ELSEWHERE: ClassVar = frozenset({"txns"})

    schema_: Literal["OFC.FINANCIAL/1"] = Field(alias="schema")
    form: Annotated[str, terms.FORM]
    bsa_id: BsaId = Field(description="the 14 digits under which FinCEN keeps the filing")
    bsa_id_provisional: bool = Field(
        False, description="the BSA id was made at import, for FinCEN's acknowledgement was not at hand"
    )
    filed: PartialDate
    parties: tuple[Party, ...] = Field(min_length=1, max_length=2_500)
    txns: tuple[Txn, ...] = Field(max_length=5_000, description="may be empty, as in many SARs")
    activities: tuple[SuspiciousActivity, ...] = Field((), max_length=100)
    narrative: Text | None = None
    prior_bsa_id: BsaId | None = Field(None, description="the filing that this one corrects or continues")
    total_in_usd: Money | None = Field(None, description="all cash in, of all parties")
    total_out_usd: Money | None = Field(None, description="all cash out, of all parties")
    total_suspicious_usd: Money | None = None

    def rules(self, ids: rules.Ids) -> Iterator[Problem]:
        """FSEC, originator control, and references that hold."""
        if "FSEC" not in rules.cui(self.handling.cui).categories:
            yield problem("/handling/cui", "a BSA filing is marked FSEC", ["CUI//SP-FSEC", "CUI//FSEC"])
        if not self.handling.orcon:
            yield problem("/handling/orcon", "a BSA filing is originator controlled: must be true")
        for at, party in enumerate(self.parties):
            yield from rules.reference(f"/parties/{at}/entity", party.entity, ids, PARTIES)
            for n, account in enumerate(party.accounts):
                yield from rules.reference(f"/parties/{at}/accounts/{n}", account, ids, ("accounts",))
            if party.dob is not None and rules.birth_range(party.dob) is None:
                yield problem(f"/parties/{at}/dob", "is no day of the calendar")
        for at, txn in enumerate(self.txns):
            yield from rules.reference(f"/txns/{at}/account", txn.account, ids, ("accounts",))
            yield from rules.reference(f"/txns/{at}/party", txn.party, ids, PARTIES)

    def describe(self, draft: Draft) -> Facts:
        """Parties and their accounts; each transaction, by its own party or the form's only conductor."""
        found = [(party, self._mention(draft, at, party)) for at, party in enumerate(self.parties)]
        for party, local_id in found:
            for account in party.accounts:
                hold(draft, local_id, account)
        doers = [i for p, i in found if p.role in DOERS and i is not None]
        conductor = doers[0] if len(doers) == 1 else None
        transactions = tuple(
            make(Transaction, **{**txn.__dict__, "at": utc(txn.at), "party": txn.party or conductor})
            for txn in self.txns
        )
        cash = sum((t.amount for t in self.txns if t.kind == "CASH_IN" and t.currency == "USD"), Decimal(0))
        return make(
            Facts,
            kind=self.KIND,
            numbers=() if self.bsa_id_provisional else (make(EventNumber, kind="BSA_ID", value=self.bsa_id),),
            transactions=transactions,
            moved_usd=cash if self.form == "CMIR105" and cash else None,
            cmir_filed=True if self.form == "CMIR105" else None,
            status=self.form,
            headline=self._headline(),
        )

    def _mention(self, draft: Draft, at: int, party: Party) -> str | None:
        if party.entity is not None:
            return party.entity
        if party.name == UNNAMED and not party.ids:
            return None
        local_id, role = f"_party{at + 1}", ROLES[party.role]
        if party.kind == "PERSON":
            return draft.add(Person, local_id, role=role, full_name=party.name, ids=party.ids, dob=party.dob)
        return draft.add(Organization, local_id, role=role, name=party.name, ids=party.ids)

    def _headline(self) -> str:
        total = sum((t.amount for t in self.txns if t.currency == "USD"), Decimal(0))
        money = f", {len(self.txns)} transactions of USD {total:,}" if self.txns else ""
        return f"{TITLES[self.form]} {self.bsa_id}: {len(self.parties)} parties{money}"
