"""Where a deployment of a test keeps its topics and tables on real servers."""

import re

import psycopg


def distributed(kafka: str, postgres: str, name: str) -> dict[str, str]:
    """Settings for Kafka and PostgreSQL: a fresh topic prefix, and one fresh database for each service."""
    unique = re.sub(r"[^a-z0-9]", "", name.lower())
    server = postgres.rsplit("/", 1)[0]
    databases = {service: f"{service}_{unique}" for service in ("fusion", "leads")}
    plain = postgres.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as connection:
        for database in databases.values():
            connection.execute(f'CREATE DATABASE "{database}"')
    separator = "&" if "?" in kafka else "?"
    return {
        "INTERLOCK_LOG": f"{kafka}{separator}partitions=4&prefix={unique}-",
        "INTERLOCK_FUSION_DATABASE": f"{server}/{databases['fusion']}",
        "INTERLOCK_LEADS_DATABASE": f"{server}/{databases['leads']}",
    }
