"""The code lists of the contracts and of the feeds; their codes and meanings stand in ``terms.csv``."""

from typing import Final

from services.ingest.feeds.codes import SCHEDULE, Codes

CONTRACT: Final = (
    SCHEDULE,
    Codes("Action", terms="ACTION"),
    Codes("Case status", terms="CASE_STATUS"),
    Codes("Predicate basis", terms="PREDICATE_BASIS"),
    Codes("Criminal activity", terms="CRIMINAL_ACTIVITY"),
    Codes("Legal basis", terms="LEGAL_BASIS"),
    Codes("Source reliability", terms="SOURCE_RELIABILITY"),
    Codes("Information credibility", terms="INFORMATION_CREDIBILITY"),
    Codes("TLP 2.0", terms="TLP"),
    Codes("Sharing", terms="SHARING"),
    Codes("Caveat", terms="CAVEAT"),
    Codes("Role", terms="ROLE"),
    Codes("Sex", terms="SEX"),
    Codes("US person", terms="US_PERSON"),
    Codes("Online identity", terms="ONLINE_IDENTITY"),
    Codes("Document", terms="DOCUMENT"),
    Codes("Unit", terms="UNIT"),
    Codes("Weight", terms="WEIGHT"),
    Codes("Test", terms="TEST"),
    Codes("Concealment location", terms="CONCEALMENT_LOCATION"),
    Codes("Concealment mechanism", terms="CONCEALMENT_MECHANISM"),
    Codes("Relation", terms="RELATION"),
    Codes("Transaction", terms="TRANSACTION"),
    Codes("Flag of transnational organised crime", terms="TOC_FLAG"),
    Codes("Ownership", terms="OWNERSHIP"),
)
"""The enums that the contracts declare; each is found by its set of codes."""

SETTING: Final = Codes("Where the seizure was made", terms="SETTING")
AGENCY_PART: Final = Codes("Part an agency took", terms="AGENCY_PART")
DIRECTION: Final = Codes("Direction", terms="DIRECTION")
MODE: Final = Codes("Mode of crossing", terms="MODE")
PRONG: Final = Codes("Which movement of money", terms="PRONG")
PACKAGING: Final = Codes("How the money was packed", terms="PACKAGING")
STATUTE: Final = Codes("Statute", terms="STATUTE")
DISPOSITION: Final = Codes("What became of it", terms="DISPOSITION")
TOLL_DIRECTION: Final = Codes("Direction of a call", terms="TOLL_DIRECTION")
CALL_KIND: Final = Codes("Kind of communication", terms="CALL_KIND")
FORM: Final = Codes("FinCEN form", terms="FORM")
PARTY: Final = Codes("Part in a financial report", terms="PARTY")
ID_TYPE: Final = Codes("Identifier", terms="ID_TYPE")
ID_STATUS: Final = Codes("Status of an identifier", terms="ID_STATUS")
URGENCY: Final = Codes("Urgency", terms="URGENCY")
NEXUS_LIST: Final = Codes("List of designated organisations", terms="NEXUS_LIST")
NEXUS_LINK: Final = Codes("Kind of nexus", terms="NEXUS_LINK")
PRIORITY_LIST: Final = Codes("Priority list", terms="PRIORITY_LIST")
LISTING_STATUS: Final = Codes("Status of a list entry", terms="LISTING_STATUS")
TARGET_ROLE: Final = Codes("What the target does", terms="TARGET_ROLE")
LINK_REASON: Final = Codes("Why two cases belong together", terms="LINK_REASON")
PARTY_KIND: Final = Codes("Kind of party", terms="PARTY_KIND")
SUBJECT_KIND: Final = Codes("Kind of subject", terms="SUBJECT_KIND")
LOOKOUT_ACTION: Final = Codes("What to do on a hit", terms="LOOKOUT_ACTION")
HAZARD: Final = Codes("Hazard", terms="HAZARD")
YES_NO: Final = Codes("Yes or no", terms="YES_NO")
RESPONSE: Final = Codes("Response", terms="RESPONSE")
LIKELIHOOD: Final = Codes("Likelihood", terms="LIKELIHOOD")
CMIR_DIRECTION: Final = Codes("Direction of a declared movement", terms="CMIR_DIRECTION")
TARGET_ID_TYPE: Final = Codes("Identifier that is targeted", terms="TARGET_ID_TYPE")
TRAVEL_DOCUMENT: Final = Codes("Travel document", terms="TRAVEL_DOCUMENT")
