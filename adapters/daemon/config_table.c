/* config_table.c - every key of the config file: the one place to add one. */
#include "adapters/daemon/config.h"

#define AT(section, field) offsetof(struct config, section.field)
#define PBX(field) offsetof(struct config_pbx, field)
#define MS_PER_MIN (60.0 * 1000.0)
#define MS_PER_HOUR (60.0 * MS_PER_MIN)

const struct config_section config_sections[] = {
    {"daemon", false, "The process itself."},
    {"store", false, "Where everything durable is kept."},
    {"hopper", false, "Where the next rows of each campaign wait. Losing it loses nothing."},
    {"pbx", true, "One Asterisk server; the section comes once for each."},
    {"web", false, "Agents' and supervisors' pages, websocket, health and metrics."},
    {"ctl", false, "The operator's unix socket, for dialerctl."},
    {"timers", false, "What agents that are made from now on start with; `agent set` changes one."},
};
const size_t config_n_sections = sizeof config_sections / sizeof config_sections[0];

const struct setting config_settings[] = {
    {"daemon", "name", SET_TEXT, AT(daemon, name), 0, 64, NULL, "dialerd", false,
     "name of this daemon; a second daemon on the same store is told it"},
    {"daemon", "workers", SET_INT, AT(daemon, workers), 0, 64, NULL, "0", false,
     "threads that run the decisions; 0: one for each processor"},
    {"daemon", "drain_time", SET_DURATION, AT(daemon, drain_ms), 0, MS_PER_HOUR, NULL, "30s", true,
     "how long calls that ring are served after SIGTERM before they are cancelled"},
    {"daemon", "log_level", SET_CHOICE, AT(daemon, log_level), 0, 0, "debug info warning error",
     "info", true, "least important lines that are logged"},
    {"daemon", "log_file", SET_PATH, AT(daemon, log_file), 0, 0, NULL, "", false,
     "file for the log, opened again at SIGHUP; empty: standard error"},

    {"store", "url", SET_URL, AT(store, url), 0, 0, NULL, NULL, false,
     "sqlite:/path/of/file, or postgresql://user@host:port/database"},
    {"store", "password_file", SET_SECRET, AT(store, password_file), 0, 0, NULL, "", false,
     "file with the database's password"},
    {"store", "journal", SET_PATH, AT(store, journal), 0, 0, NULL, "", false,
     "folder for what is told while the store is away; on a disk that outlives the machine's "
     "power. "
     "Empty: beside the SQLite file, else systemd's StateDirectory, else beside the ctl socket"},
    {"store", "journal_size", SET_SIZE, AT(store, journal_size), 1024.0 * 1024.0,
     1024.0 * 1024.0 * 1024.0 * 1024.0, NULL, "1GiB", false,
     "what it may take there; an hour without the store is 1 GiB at 1,000 events a second"},

    {"hopper", "url", SET_URL, AT(hopper, url), 0, 0, NULL, "memory:", false,
     "memory: (inside the daemon), or redis://host:port/database"},
    {"hopper", "password_file", SET_SECRET, AT(hopper, password_file), 0, 0, NULL, "", false,
     "file with Redis' password"},

    {"pbx", "number", SET_INT, PBX(number), 0, 65535, NULL, "0", false,
     "number under which trunks and phones name this server; 0: its place in this file (1, 2, "
     "...)"},
    {"pbx", "url", SET_URL, PBX(url), 0, 0, NULL, NULL, false,
     "http://host:port of Asterisk's HTTP server, or https://"},
    {"pbx", "tls_ca", SET_PATH, PBX(tls_ca), 0, 0, NULL, "", false,
     "with https://: PEM file with the certificates to trust; empty: the system's"},
    {"pbx", "user", SET_TEXT, PBX(user), 1, 64, NULL, "dialer", false, "user in ari.conf"},
    {"pbx", "password_file", SET_SECRET, PBX(password_file), 0, 0, NULL, "", false,
     "file with that user's password"},
    {"pbx", "application", SET_TEXT, PBX(application), 1, 64, NULL, "dialer", false,
     "name of the Stasis application; the dialplan's context enters the same"},
    {"pbx", "calls_per_s", SET_NUMBER, PBX(calls_per_s), 0.1, 1000, NULL, "50", true,
     "originates a second to this server, all trunks and agents' legs together"},
    {"pbx", "lines", SET_INT, PBX(lines), 1, 20000, NULL, "2000", true,
     "channels at once on this server that come from this daemon"},

    {"web", "listen", SET_TEXT, AT(web, listen), 1, 64, NULL, "127.0.0.1", false,
     "address to listen on"},
    {"web", "port", SET_INT, AT(web, port), 0, 65535, NULL, "8090", false,
     "port; 0: a free one, which the log names"},
    {"web", "origins", SET_TEXT, AT(web, origins), 0, 1024, NULL, "", false,
     "origins whose pages may connect, separated by commas; empty: the address listened on"},
    {"web", "behind_tls", SET_FLAG, AT(web, behind_tls), 0, 0, NULL, "no", false,
     "a proxy in front speaks TLS with the browsers: cookies are marked Secure"},
    {"web", "metrics_for_all", SET_FLAG, AT(web, metrics_for_all), 0, 0, NULL, "no", true,
     "/metrics is answered to others than this machine, too"},
    {"web", "max_clients", SET_INT, AT(web, max_clients), 1, 65536, NULL, "8192", false,
     "websockets at once"},

    {"ctl", "socket", SET_PATH, AT(ctl, socket), 0, 0, NULL, "/run/dialerd/ctl", false,
     "path of the socket; who may open it may do everything"},

    {"timers", "wrapup_default", SET_DURATION, AT(timers, wrapup_default_ms), 1000, MS_PER_HOUR,
     NULL, "5min", true, "wrap-up of an agent who is in no campaign ends after"},
    {"timers", "busy_reset", SET_DURATION, AT(timers, busy_reset_ms), 1000, 24 * MS_PER_HOUR, NULL,
     "10min", true, "an agent who is busy without a call is released after"},
    {"timers", "link_grace", SET_DURATION, AT(timers, link_grace_ms), 1000, 10 * MS_PER_MIN, NULL,
     "10s", true, "an agent's page may be away for so long before its agent gets no more calls"},
    {"timers", "leg_ring", SET_DURATION, AT(timers, leg_ring_ms), 5000, 2 * MS_PER_MIN, NULL, "30s",
     true, "an agent's phone is rung for so long"},
};
const size_t config_n_settings = sizeof config_settings / sizeof config_settings[0];
