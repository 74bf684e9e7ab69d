"""What the address of a database asks for holds, beside what we ask for."""

from updater import settings  # noqa: TID251  its function is what is tested, not what was set


def test_database_with_tls_in_its_url_connects_with_tls():
    made = settings.database("postgresql://us@db.example/shop?sslmode=verify-full&sslrootcert=/ca")

    assert made["OPTIONS"]["sslmode"] == "verify-full"
    assert made["OPTIONS"]["sslrootcert"] == "/ca"
    assert made["HOST"] == "db.example"


def test_database_with_options_in_its_url_keeps_our_time_limits():
    made = settings.database("postgresql://us@db.example/shop?options=-c%20statement_timeout%3D0")

    assert "statement_timeout=30000" in made["OPTIONS"]["options"]


def test_database_pool_is_given_beside_the_url():
    made = settings.database("postgresql://us@db.example/shop?sslmode=require", pool=True)

    assert made["OPTIONS"]["pool"] is True
    assert made["OPTIONS"]["sslmode"] == "require"
