import { isIP } from "node:net";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";

const text = (description: string, rest: object = {}) =>
	Type.Optional(Type.String({ description, ...rest }));
const number = (
	byDefault: number,
	description: string,
	minimum = 1,
	maximum = 2 ** 31 - 1,
) => Type.Integer({ default: byDefault, minimum, maximum, description });

/** Every setting of the service: the environment variable's name, type, default and meaning. */
export const environmentSchema = Type.Object({
	NODE_ENV: text(
		"`production` makes ISSUER (https), DATABASE_URL and a key-encryption key required",
	),
	PORT: number(4000, "TCP port; 0 takes a free one", 0, 65_535),
	HOST: Type.String({
		default: "127.0.0.1",
		minLength: 1,
		description: "Address to listen on; the container image sets 0.0.0.0",
	}),
	ISSUER: text(
		"Public base URL of the service, exactly as it stands in `iss`; default http://localhost:$PORT",
	),
	DATABASE_URL: text(
		"PostgreSQL 15 or newer; unset: the embedded mode, data in DATA_DIR",
		{ secret: true },
	),
	DATABASE_DIRECT_URL: text(
		"Connection for migrations, past any pooler; default DATABASE_URL",
		{ secret: true },
	),
	MIGRATE_ON_START: Type.Boolean({
		default: true,
		description: "Apply pending migrations at start",
	}),
	REDIS_URL: text(
		"redis://host:6379/0, rediss://…, redis-sentinel://host:26379,host:26379/name or redis-cluster://host:6379,host:6379; unset: one node, shared state in the process",
		{ secret: true },
	),
	DATA_DIR: Type.String({
		default: "data",
		minLength: 1,
		description: "Folder of the embedded mode: database, lock and local socket",
	}),
	KEY_ENCRYPTION_KEY: text(
		"32 bytes in base64 that seal the private keys at rest; several, comma-separated, newest first",
		{ secret: true },
	),
	KEY_ENCRYPTION_KEY_FILE: text(
		"File that holds what KEY_ENCRYPTION_KEY would; the embedded mode makes keys/key-encryption-key",
	),
	ACCESS_TOKEN_TTL_SECONDS: number(
		900,
		"Lifetime of access tokens, unless their audience sets its own",
		1,
		86_400,
	),
	REFRESH_TOKEN_TTL_SECONDS: number(
		2_592_000,
		"Absolute lifetime of a refresh-token family (30 days)",
	),
	REFRESH_IDLE_SECONDS: number(
		604_800,
		"A family unused for so long ends (7 days)",
	),
	REFRESH_GRACE_SECONDS: number(
		30,
		"Window in which a retried refresh is answered again; 0 = strict",
		0,
		600,
	),
	DEFAULT_AUDIENCE: text(
		"Audience of tokens for which none is asked; default ISSUER",
	),
	REGISTRATION: Type.Union([Type.Literal("open"), Type.Literal("closed")], {
		default: "open",
		description:
			"`open`: anyone may register; `closed`: accounts are made by an administrator",
	}),
	CORS_ORIGINS: text(
		"Comma-separated origins of browser apps that may call the API, such as https://app.example",
	),
	TRUSTED_PROXIES: text(
		"Comma-separated addresses or CIDR ranges whose X-Forwarded-For counts",
	),
	SESSIONS_PER_USER: number(
		100,
		"Live sessions a user may have; a further sign-in ends the oldest",
		1,
		10_000,
	),
	PASSWORD_HASH_MEMORY_KIB: number(
		19_456,
		"argon2id memory per hash",
		8,
		4_194_304,
	),
	PASSWORD_HASH_TIME_COST: number(2, "argon2id passes", 1, 100),
	PASSWORD_HASH_PARALLELISM: number(1, "argon2id lanes", 1, 16),
	PASSWORD_HASH_CONCURRENCY: number(
		0,
		"Hashes computed at once; 0: one fewer than the cores, at least one",
		0,
		64,
	),
	PASSWORD_HASH_QUEUE_LIMIT: number(
		64,
		"Hashes that may wait; past it a sign-in is answered 503",
		0,
		10_000,
	),
	RSA_MODULUS_BITS: number(
		3072,
		"Size of new RS256 and PS256 keys",
		2048,
		8192,
	),
	DATABASE_POOL_SIZE: number(
		10,
		"Connections to PostgreSQL per process",
		1,
		1000,
	),
	DATABASE_CONNECT_TIMEOUT_MS: number(3000, "Longest wait for a connection"),
	DATABASE_STATEMENT_TIMEOUT_MS: number(5000, "Longest SQL statement"),
	DATABASE_LOCK_TIMEOUT_MS: number(1000, "Longest wait for a row lock"),
	REDIS_COMMAND_TIMEOUT_MS: number(100, "Longest wait for an answer of Redis"),
	REQUEST_TIMEOUT_MS: number(
		15_000,
		"Longest time for a client to send its request",
	),
	SHUTDOWN_TIMEOUT_MS: number(
		10_000,
		"Time that running requests are given on SIGTERM or SIGINT",
	),
	BODY_LIMIT_BYTES: number(65_536, "Largest request body", 1024, 10_485_760),
	LOG_LEVEL: Type.Union(
		(
			["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const
		).map((level) => Type.Literal(level)),
		{ default: "info", description: "Least severe level that is logged" },
	),
});

type Environment = Static<typeof environmentSchema>;
type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
	? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
	: Lowercase<S>;
type CamelCased<T> = { readonly [K in keyof T as CamelCase<K & string>]: T[K] };

type Derived = {
	readonly issuer: string;
	readonly defaultAudience: string;
	readonly corsOrigins: readonly string[];
	readonly trustedProxies: readonly string[];
	/** Newest first; empty in the embedded mode until its own key has been made. */
	readonly keyEncryptionKeys: readonly Buffer[];
	readonly production: boolean;
};

/** The whole configuration, read once, frozen and passed down. Durations carry their unit. */
export type Config = Omit<
	CamelCased<Environment>,
	keyof Derived | "nodeEnv" | "keyEncryptionKey" | "keyEncryptionKeyFile"
> &
	Derived;

/** All that is wrong with the environment, one sentence each. Never contains a secret's value. */
export class ConfigError extends Error {
	readonly problems: readonly string[];
	constructor(problems: readonly string[]) {
		super(
			`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
		);
		this.name = "ConfigError";
		this.problems = problems;
	}
}

const list = (value: string | undefined): string[] =>
	(value ?? "")
		.split(",")
		.map((item) => item.trim())
		.filter((item) => item !== "");

const isUrl = (value: string, protocols: readonly string[]): boolean =>
	URL.canParse(value) && protocols.includes(new URL(value).protocol);

const isIssuer = (value: string): boolean => {
	if (!isUrl(value, ["http:", "https:"]) || value.endsWith("/")) return false;
	const { search, hash, username, password } = new URL(value);
	return search + hash + username + password === "" && !/[?#]/.test(value);
};

const isOrigin = (value: string): boolean =>
	isUrl(value, ["http:", "https:"]) && new URL(value).origin === value;

const isAddressRange = (value: string): boolean => {
	const [address = "", prefix, ...rest] = value.split("/");
	const bits = isIP(address) === 6 ? 128 : 32;
	return (
		isIP(address) !== 0 &&
		rest.length === 0 &&
		(prefix === undefined ||
			(/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
	);
};

const redisProtocols = [
	"redis:",
	"rediss:",
	"redis-sentinel:",
	"redis-cluster:",
];

/** Cross-field rules as rows: [broken, sentence]. */
const rules = (env: Environment, config: Config, keyTexts: readonly string[]) =>
	[
		[
			!isIssuer(config.issuer),
			"ISSUER must be an http or https URL without query, fragment or trailing slash",
		],
		[
			config.production && !env.ISSUER,
			"ISSUER is required in production: the public https URL of this service",
		],
		[
			config.production &&
				env.ISSUER !== undefined &&
				!env.ISSUER.startsWith("https:"),
			"ISSUER must be https in production",
		],
		[
			config.production && !env.DATABASE_URL,
			"DATABASE_URL is required in production: postgres://user:password@host/database",
		],
		[
			keyTexts.length === 0 &&
				(config.production || env.DATABASE_URL !== undefined),
			"KEY_ENCRYPTION_KEY or KEY_ENCRYPTION_KEY_FILE is required with a database: 32 random bytes in base64 (openssl rand -base64 32)",
		],
		[
			env.KEY_ENCRYPTION_KEY !== undefined &&
				env.KEY_ENCRYPTION_KEY_FILE !== undefined,
			"set KEY_ENCRYPTION_KEY or KEY_ENCRYPTION_KEY_FILE, not both",
		],
		[
			keyTexts.some((key) => !isKeyEncryptionKey(key)),
			"KEY_ENCRYPTION_KEY must hold 32 bytes in base64, several separated by commas",
		],
		...(["DATABASE_URL", "DATABASE_DIRECT_URL"] as const).map(
			(name) =>
				[
					env[name] !== undefined &&
						!isUrl(env[name], ["postgres:", "postgresql:"]),
					`${name} must be a postgres:// URL`,
				] as const,
		),
		[
			env.DATABASE_DIRECT_URL !== undefined && !env.DATABASE_URL,
			"DATABASE_DIRECT_URL needs DATABASE_URL",
		],
		[
			env.REDIS_URL !== undefined &&
				!redisProtocols.some((scheme) =>
					env.REDIS_URL?.startsWith(`${scheme}//`),
				),
			"REDIS_URL must begin with redis://, rediss://, redis-sentinel:// or redis-cluster://",
		],
		[
			config.corsOrigins.some((origin) => !isOrigin(origin)),
			"CORS_ORIGINS must be origins such as https://app.example, without a path",
		],
		[
			config.trustedProxies.some((range) => !isAddressRange(range)),
			"TRUSTED_PROXIES must be IP addresses or CIDR ranges",
		],
		[
			config.refreshIdleSeconds > config.refreshTokenTtlSeconds,
			"REFRESH_IDLE_SECONDS must not exceed REFRESH_TOKEN_TTL_SECONDS",
		],
	] as const;

const isKeyEncryptionKey = (value: string): boolean =>
	/^[A-Za-z0-9+/]{43}=?$/.test(value) &&
	Buffer.from(value, "base64").length === 32;

const typed = (name: string, value: string): unknown => {
	const { type } =
		(environmentSchema.properties as Record<string, { type?: string }>)[name] ??
		{};
	if (type === "integer" && /^\d+$/.test(value)) return Number(value);
	if (type === "boolean" && /^(true|false|1|0)$/.test(value))
		return value === "true" || value === "1";
	return value;
};

/** What the variables' own types say is wrong; at most one sentence a variable, no values. */
const typeProblems = (candidate: unknown): string[] => {
	const names = new Map<string, string>();
	for (const error of Value.Errors(environmentSchema, candidate)) {
		const name = error.instancePath.slice(1);
		const { anyOf, minimum, maximum } = environmentSchema.properties[
			name as keyof Environment
		] as {
			anyOf?: { const: string }[];
			minimum?: number;
			maximum?: number;
		};
		const expected = anyOf
			? `one of ${anyOf.map((option) => option.const).join(", ")}`
			: minimum !== undefined
				? `a whole number from ${minimum} to ${maximum}`
				: error.message.replace(/^must /, "");
		names.set(name, `${name} must be ${expected.replace(/^be /, "")}`);
	}
	return [...names.values()];
};

const camelCase = (name: string): string =>
	name
		.toLowerCase()
		.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

const derive = (env: Environment, keys: readonly string[]): Config => {
	const { NODE_ENV, KEY_ENCRYPTION_KEY, KEY_ENCRYPTION_KEY_FILE, ...settings } =
		env;
	const issuer = env.ISSUER ?? `http://localhost:${env.PORT}`;
	const plain = Object.entries(settings).map(([name, value]) => [
		camelCase(name),
		value,
	]);
	return Object.freeze({
		...(Object.fromEntries(plain) as Omit<Config, keyof Derived>),
		issuer,
		defaultAudience: env.DEFAULT_AUDIENCE ?? issuer,
		corsOrigins: list(env.CORS_ORIGINS),
		trustedProxies: list(env.TRUSTED_PROXIES),
		keyEncryptionKeys: keys.map((key) => Buffer.from(key, "base64")),
		production: NODE_ENV === "production",
	});
};

/**
 * Reads the environment into a frozen configuration. An empty variable counts as unset.
 * @param readFile reads KEY_ENCRYPTION_KEY_FILE; its error is reported, not thrown.
 * @throws {ConfigError} naming everything that is wrong at once.
 */
export const loadConfig = (
	environment: Readonly<Record<string, string | undefined>>,
	readFile: (path: string) => string,
): Config => {
	const known = Object.keys(environmentSchema.properties);
	const given = known.flatMap((name) => {
		const value = environment[name];
		return value === undefined || value === ""
			? []
			: [[name, typed(name, value)]];
	});
	const candidate = Value.Default(environmentSchema, Object.fromEntries(given));
	const problems = typeProblems(candidate);
	if (problems.length > 0) throw new ConfigError(problems);
	const env = candidate as Environment;
	let keys = list(env.KEY_ENCRYPTION_KEY);
	try {
		if (env.KEY_ENCRYPTION_KEY_FILE)
			keys = list(readFile(env.KEY_ENCRYPTION_KEY_FILE));
	} catch {
		problems.push(
			`KEY_ENCRYPTION_KEY_FILE: ${env.KEY_ENCRYPTION_KEY_FILE} cannot be read`,
		);
	}
	const config = derive(env, keys);
	problems.push(
		...rules(env, config, keys).flatMap(([broken, sentence]) =>
			broken ? [sentence] : [],
		),
	);
	if (problems.length > 0) throw new ConfigError(problems);
	return config;
};
