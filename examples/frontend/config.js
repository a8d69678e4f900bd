// Where the API is.
const API = 'http://localhost:8000/api/v1/auth';
