DELETE FROM "alert_bundled";--> statement-breakpoint
DELETE FROM "alert_pass";--> statement-breakpoint
DROP INDEX "alert_code_open";--> statement-breakpoint
ALTER TABLE "alert_pass" DROP CONSTRAINT "alert_pass_person_id_channel_pk";--> statement-breakpoint
ALTER TABLE "alert" ADD COLUMN "untold" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "alert" ADD COLUMN "exhausted" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "alert" ADD COLUMN "unmailed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "alert_bundled" ADD COLUMN "notification_id" uuid NOT NULL;--> statement-breakpoint
ALTER TABLE "alert_pass" ADD COLUMN "priority" text NOT NULL;--> statement-breakpoint
ALTER TABLE "alert_pass" ADD COLUMN "origins" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
CREATE INDEX "alert_unheard" ON "alert" USING btree ("id") WHERE status = 'open' AND (untold OR exhausted);--> statement-breakpoint
CREATE INDEX "alert_unmailed" ON "alert" USING btree ("id") WHERE status = 'open' AND unmailed;--> statement-breakpoint
CREATE INDEX "alert_by_code" ON "alert" USING btree ("code");--> statement-breakpoint
ALTER TABLE "alert_pass" DROP COLUMN "sources";--> statement-breakpoint
ALTER TABLE "alert_pass" ADD CONSTRAINT "alert_pass_person_id_channel_priority_pk" PRIMARY KEY("person_id","channel","priority");