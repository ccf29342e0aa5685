"""The wire protocol of the gateway, pure: commands, frames, batches, encoders, compression."""
