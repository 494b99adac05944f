"""What a session of pytest becomes: a hunt, a replay under a plan, or an ordinary run that is watched for leaks."""
