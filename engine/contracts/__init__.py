"""What crosses a boundary: frames between processes, messages on the wire, manifests beside models."""
