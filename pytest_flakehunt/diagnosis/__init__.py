"""What makes a test fail: experiments on causes, what they show, and the command that brings a failure back."""
