// The SDK reads the process's environment: no credentials, files or metadata of the machine may reach a test.
for (const name of Object.keys(process.env)) {
  if (/^(AWS|AEC)_/.test(name) && name !== "AEC_REAL_CACHE") delete process.env[name];
}
process.env.AWS_EC2_METADATA_DISABLED = "true";
process.env.AWS_CONFIG_FILE = "/nonexistent";
process.env.AWS_SHARED_CREDENTIALS_FILE = "/nonexistent";
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
