"""Writers of what is made from the OpenAPI document."""
