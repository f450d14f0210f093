CREATE TABLE "gathering" (
	"person_id" text NOT NULL,
	"event_type" text NOT NULL,
	"channel" text NOT NULL,
	"target" text NOT NULL,
	"delivery_id" uuid,
	"items" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "gathering_person_id_event_type_channel_target_pk" PRIMARY KEY("person_id","event_type","channel","target"),
	CONSTRAINT "gathering_delivery_id_unique" UNIQUE("delivery_id")
);
--> statement-breakpoint
CREATE TABLE "hourly_pass" (
	"person_id" text NOT NULL,
	"event_type" text NOT NULL,
	"passes" jsonb DEFAULT '{}'::jsonb NOT NULL,
	CONSTRAINT "hourly_pass_person_id_event_type_pk" PRIMARY KEY("person_id","event_type")
);
--> statement-breakpoint
ALTER TABLE "notification" ADD COLUMN "digest" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "gathering" ADD CONSTRAINT "gathering_person_id_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hourly_pass" ADD CONSTRAINT "hourly_pass_person_id_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;