CREATE TABLE "alert_bundled" (
	"bundle_id" uuid NOT NULL,
	"alert_id" uuid NOT NULL,
	CONSTRAINT "alert_bundled_bundle_id_alert_id_pk" PRIMARY KEY("bundle_id","alert_id")
);
--> statement-breakpoint
ALTER TABLE "alert_pass" DROP CONSTRAINT "alert_pass_delivery_id_unique";--> statement-breakpoint
ALTER TABLE "alert_pass" ADD COLUMN "bundle_id" uuid;--> statement-breakpoint
ALTER TABLE "alert_bundled" ADD CONSTRAINT "alert_bundled_bundle_id_notification_id_fk" FOREIGN KEY ("bundle_id") REFERENCES "public"."notification"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "alert_pass" DROP COLUMN "delivery_id";--> statement-breakpoint
ALTER TABLE "alert_pass" DROP COLUMN "items";