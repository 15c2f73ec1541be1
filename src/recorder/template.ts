import { templateResult } from "../cloudformation/template.ts";
import { usageError } from "../errors.ts";
import type { CommandResult } from "../output/output.ts";
import type { WantedRecording } from "./plan.ts";

/** Recorder and delivery channel, as a template for a Region that has neither: AWS Config allows one of each. */
export function recordingTemplate({ topicArn, types, bucket, roleArn }: WantedRecording): CommandResult {
  if (bucket === undefined) {
    throw usageError("no-bucket", "a delivery channel needs a bucket", {
      hint: "add --bucket NAME, a bucket that AWS Config may write to",
    });
  }
  return templateResult("aec: AWS Config for Spinnaker's cache, for a Region without a recorder", {
    Recorder: {
      Type: "AWS::Config::ConfigurationRecorder",
      Properties: {
        Name: "default",
        RoleARN: roleArn,
        RecordingGroup: { AllSupported: false, ResourceTypes: [...types] },
      },
    },
    DeliveryChannel: {
      Type: "AWS::Config::DeliveryChannel",
      Properties: { Name: "default", S3BucketName: bucket, SnsTopicARN: topicArn },
    },
  });
}
