"""What KVKK and the GDPR ask of a clinic: notices, consents, the log of reads, requests, erasure."""
