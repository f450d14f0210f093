CREATE TABLE "mqtt_session" (
	"number" integer PRIMARY KEY NOT NULL,
	"holder" uuid,
	"leased_until" timestamp with time zone DEFAULT now() NOT NULL,
	"wanted_by" uuid
);
