"""What the code that deploys functions says of their tracing, for pull requests: files in, results and edits out."""
