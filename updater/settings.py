"""Django settings: every value from the environment, a missing required one fails here with a hint.

`NAME_FILE` may hold the path of a file with the value of `NAME` (mounted secrets). `.env.example` lists all.
"""

import os
from pathlib import Path
from typing import Any

import dj_database_url
from celery.schedules import schedule
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str | None = None, *, hint: str = "") -> str:
    """Return the setting, read from the file named by NAME_FILE if that is set."""
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE). {hint}".strip())
    return value


def env_bool(name: str, *, default: bool = False) -> bool:
    """Return a yes/no setting; any word but true and false is refused."""
    text = env(name, str(default)).lower()
    if text not in ("true", "false"):
        raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")
    return text == "true"


def env_int(name: str, default: int) -> int:
    """Return a whole-number setting."""
    text = env(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def env_list(name: str, default: str = "") -> list[str]:
    """Return a comma separated setting."""
    return [word.strip() for word in env(name, default).split(",") if word.strip()]


# Web
DEBUG = env_bool("DEBUG")
SECRET_KEY = env("SECRET_KEY", hint="At least 50 random characters; the same for every process.")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
INSECURE_HTTP = env_bool("INSECURE_HTTP")  # loopback without TLS: the onebox
PUBLIC_URL = env("PUBLIC_URL", "http://localhost:8000").rstrip("/")
ROOT_URLCONF = "updater.urls"
ASGI_APPLICATION = "updater.asgi.application"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "axes",
    "updater",
    "approvals",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "approvals.middleware.security_headers",
    "approvals.middleware.request_ids",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "approvals.middleware.Guard",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "approvals.views.chrome.context",
            ],
        },
    }
]
STATIC_URL = "static/"
# Manifest names need a collectstatic run: the container image has one, the onebox serves from the source tree.
STATICFILES_MANIFEST = env_bool("STATICFILES_MANIFEST")
STATIC_ROOT = env("STATIC_ROOT", str(BASE_DIR / "staticfiles")) if STATICFILES_MANIFEST else None
WHITENOISE_USE_FINDERS = not STATICFILES_MANIFEST
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATICFILES_MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
LANGUAGE_CODE = "en-us"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 0

# Data


def database(url: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401  what psycopg takes
    """Return Django's settings of a database; what its URL asks for (`sslmode`) holds as well."""
    given: dict[str, Any] = dict(dj_database_url.parse(url))
    own = {
        "application_name": "countersign",  # how pg_stat_activity names us
        "options": "-c statement_timeout=30000 -c lock_timeout=10000"
        " -c idle_in_transaction_session_timeout=60000",
    }
    return {**given, "CONN_MAX_AGE": 0, "OPTIONS": {**given.get("OPTIONS", {}), **own, **options}}


DATABASES = {
    "default": database(
        env("DATABASE_URL", hint="postgresql://user:password@host:5432/countersign"),
        **({"pool": {"min_size": 1, "max_size": 8}} if env_bool("DATABASE_POOL") else {}),
    )
}
# For prepare_database alone: web, workers and beat refuse a role that owns the tables
DATABASE_OWNER_URL = env("DATABASE_OWNER_URL", "")
OWNER_DATABASE = database(DATABASE_OWNER_URL) if DATABASE_OWNER_URL else {}

# Sign-in and sessions
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "approvals:sign-in"
LOGIN_REDIRECT_URL = "approvals:pending-list"
LOGOUT_REDIRECT_URL = "approvals:sign-in"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "approvals.views.accounts.locked_out"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not INSECURE_HTTP
SESSION_COOKIE_NAME = "sessionid" if INSECURE_HTTP else "__Host-sessionid"
CSRF_COOKIE_NAME = "csrftoken" if INSECURE_HTTP else "__Host-csrftoken"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
SECURE_SSL_REDIRECT = not INSECURE_HTTP and not env_bool("TLS_ENDS_AT_PROXY")
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # probes speak plain HTTP
SECURE_HSTS_SECONDS = 0 if INSECURE_HTTP else 31536000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not INSECURE_HTTP
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "approvals.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["approvals.api.authentication.DenyByDefault"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "approvals.api.problems.handle",
    "DEFAULT_PAGINATION_CLASS": "approvals.api.pagination.CursorPages",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Countersign",
    "VERSION": "1",
    "DESCRIPTION": "Approval of GitOps image promotions.",
    "SERVE_PERMISSIONS": ["approvals.api.authentication.IsKnownPerson"],
    "COMPONENT_SPLIT_REQUEST": True,
    # Three things are judged by a "verdict"; each set of words gets a name of its own.
    "ENUM_NAME_OVERRIDES": {
        "GateVerdictEnum": ["pass", "wait", "block", "unknown", "override"],
        "ReviewVerdictEnum": "approvals.models.Review.Verdict",
        "FindingVerdictEnum": "approvals.models.Finding.Verdict",
    },
}

# What the machine does, and how often (seconds)
CLUSTER_NAME = env("CLUSTER_NAME", "in-cluster")
ARGOCD_NAMESPACE = env("ARGOCD_NAMESPACE", "argocd")
WATCH_NAMESPACES = env_list("WATCH_NAMESPACES")  # empty: all
STATE_DIR = Path(env("STATE_DIR", str(BASE_DIR / ".countersign")))
REGISTRIES_CONF = env("REGISTRIES_CONF", "")
COMMIT_TEMPLATE = env("COMMIT_TEMPLATE", "")
POLICY_FILE = env("POLICY_FILE", "")  # empty: the built-in policy, until one was loaded
PROMOTION_KEY = env("PROMOTION_KEY", SECRET_KEY)  # authenticates the trailers of our commits
GIT_COMMIT_USER = env("GIT_COMMIT_USER", "countersign")
GIT_COMMIT_EMAIL = env("GIT_COMMIT_EMAIL", "countersign@localhost")
KUBECONFIG = env("KUBECONFIG", "")  # empty: the cluster we run in
GIT_COMMIT_SIGNING_KEY = env(
    "GIT_COMMIT_SIGNING_KEY", ""
)  # an OpenPGP key id, or the path of an SSH key
GIT_COMMIT_SIGNING_METHOD = env("GIT_COMMIT_SIGNING_METHOD", "openpgp")
ALLOW_OPERATOR_CREDENTIALS = env_bool(
    "ALLOW_OPERATOR_CREDENTIALS"
)  # env: and ext: in registries.conf
PRIVATE_REGISTRIES = env_list("PRIVATE_REGISTRIES")  # hosts with addresses of private networks
REGISTRY_TOKEN_HOSTS = env_list("REGISTRY_TOKEN_HOSTS")  # may ask for credentials of any registry
REGISTRY_BLOB_HOSTS = env_list("REGISTRY_BLOB_HOSTS")  # registries may redirect blobs there
ALLOW_INSECURE_REGISTRIES = env_list("ALLOW_INSECURE_REGISTRIES")  # hosts that speak plain HTTP
ALLOW_INSECURE_GIT = env_bool("ALLOW_INSECURE_GIT")  # plain http:// git URLs: the demo world
# Who merges our pull requests: "never" us, or us "when-allowed" by the host's own checks and rules
PULL_REQUEST_MERGE = env("PULL_REQUEST_MERGE", "never")
if PULL_REQUEST_MERGE not in ("never", "when-allowed"):
    raise ImproperlyConfigured("PULL_REQUEST_MERGE must be never or when-allowed.")
# Ask Argo CD for a sync of our commit where automated sync is off; a person does it otherwise
REQUEST_SYNC = env_bool("REQUEST_SYNC")
SCAN_SECONDS = env_int("SCAN_SECONDS", 120)
INVENTORY_SECONDS = env_int("INVENTORY_SECONDS", 30)
SCAN_LOOK_SECONDS = min(SCAN_SECONDS, 15)  # between looks for image repositories that are due
SWEEP_SECONDS = env_int("SWEEP_SECONDS", 5)
OUTCOME_DEADLINE_SECONDS = env_int("OUTCOME_DEADLINE_SECONDS", 900)
PENDING_EXPIRY_SECONDS = env_int("PENDING_EXPIRY_SECONDS", 7 * 86400)
APPROVED_EXPIRY_SECONDS = env_int("APPROVED_EXPIRY_SECONDS", 86400)
# A worker that stands still for so long loses its target to another one
LEASE_SECONDS = env_int("LEASE_SECONDS", 180)

# Tests let a process die at a named point (updater.crashpoints); nothing else may
FAULTS = env("FAULTS", "")
FAULTS_LOG = env("FAULTS_LOG", "")
if FAULTS and not env_bool("FAULTS_ARE_WANTED"):
    raise ImproperlyConfigured("FAULTS makes processes die on purpose: it is for tests only.")

# Celery: messages are doorbells, Postgres is the queue of record
CELERY_BROKER_URL = env("REDIS_URL", hint="redis://host:6379/0")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# Without a limit a worker always listens. With one, a worker whose acknowledgement met a restarting Redis counted that
# message as its own for ever, listened no more, and so never noticed that its connection was gone (docs/adr/0015).
CELERY_WORKER_PREFETCH_MULTIPLIER = 0
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # LOGGING below holds for workers, too
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_throttle": 1,  # kombu would look for lost messages every 100 s only
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
# Ringing the doorbell must not hold up an approval while Redis is down.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "scan"
CELERY_TASK_ROUTES = {
    "approvals.execute_promotions": {"queue": "execute"},
    "approvals.observe_outcomes": {"queue": "execute"},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "beat-schedule")
# Machines judge expiry by their own clocks, so it is only a bound; updater.turns keeps piled up messages from harm
DAY = 86400
CELERY_BEAT_SCHEDULE = {
    "inventory": {
        "task": "updater.reconcile_inventory",
        "schedule": schedule(INVENTORY_SECONDS),
        "options": {"queue": "scan", "expires": DAY},
    },
    "scans": {
        "task": "updater.scan_registries",
        "schedule": schedule(SCAN_LOOK_SECONDS),
        "options": {"queue": "scan", "expires": DAY},
    },
    "propose": {
        "task": "approvals.propose_promotions",
        "schedule": schedule(SWEEP_SECONDS),
        "options": {"queue": "scan", "expires": DAY},
    },
    "authors": {
        "task": "approvals.read_authors",
        "schedule": schedule(SWEEP_SECONDS),
        "options": {"queue": "scan", "expires": DAY},
    },
    "execute": {
        "task": "approvals.execute_promotions",
        "schedule": schedule(SWEEP_SECONDS),
        "options": {"queue": "execute", "expires": DAY},
    },
    "observe": {
        "task": "approvals.observe_outcomes",
        "schedule": schedule(SWEEP_SECONDS),
        "options": {"queue": "execute", "expires": DAY},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "updater.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", "INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "kubernetes": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}
