"""What a report says: claims with their numbers, without markup."""
