"""The Kafka log over TLS with a login, on a real broker that takes nothing else."""

import datetime as dt
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.errors import Transient
from shared.log import NewRecord, open_log
from tests.conftest import Broker, free_pair
from tests.shared.log_contract import PASSING, drain, values

pytestmark = [
    pytest.mark.usefixtures("no_sockets_left"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <(socket|ssl)[.]:pytest.PytestUnraisableExceptionWarning"
    ),
]

PASSWORD = "p/w:@?"
LOGIN = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required"
    f' username="interlock" password="{PASSWORD}" user_interlock="{PASSWORD}";'
)

PROPERTIES = """
listeners=SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
inter.broker.listener.name=SASL_SSL
listener.security.protocol.map=CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config={login}
ssl.keystore.type=PEM
ssl.keystore.location={home}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={home}/ca.pem
"""


def certificate(home: Path) -> None:
    """A certificate for 127.0.0.1 that is its own authority: ``ca.pem``, and with its key ``server.pem``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    public = signed.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (home / "ca.pem").write_bytes(public)
    (home / "server.pem").write_bytes(private + public)


@pytest.fixture(scope="module")
def secured(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    home, port = tmp_path_factory.mktemp("secured"), free_pair()
    certificate(home)
    broker = Broker(
        port,
        home,
        PROPERTIES.format(port=port, controller=port + 1, login=LOGIN, home=home),
    )
    broker.run("start")
    yield broker
    broker.run("stop")


def url(broker: Broker, password: str, **settings: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in settings.items())
    return (
        f"kafka://interlock:{quote(password, safe='')}@127.0.0.1:{broker.port}?partitions=1&timeout=3&{query}"
    )


def test_with_the_right_login_and_authority_everything_works(secured: Broker) -> None:
    right = url(secured, PASSWORD, security_protocol="SASL_SSL", ssl_cafile=f"{secured.home}/ca.pem")
    log = open_log(right)
    log.ensure([PASSING])
    log.append(PASSING.name, [NewRecord("k", b"v")])
    consumer = log.consumer("group", [PASSING.name])
    assert values(drain(consumer, 1)) == ["v"]
    consumer.commit()
    assert consumer.lag() == 0
    consumer.close()
    log.close()


@pytest.mark.parametrize("wrong", ["password", "authority"])
def test_what_is_refused_is_said_without_the_password(secured: Broker, wrong: str) -> None:
    settings = {"security_protocol": "SASL_SSL", "ssl_cafile": f"{secured.home}/ca.pem"}
    if wrong == "authority":
        del settings["ssl_cafile"]
    log = open_log(url(secured, PASSWORD if wrong == "authority" else "hunter2", **settings))
    for call in (log.ping, lambda: log.consumer("group", [PASSING.name])):
        with pytest.raises(Transient, match="login or certificate") as refused:
            call()
        assert "hunter2" not in str(refused.value)
        assert PASSWORD not in str(refused.value)
    log.close()
